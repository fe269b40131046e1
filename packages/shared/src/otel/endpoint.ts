import type { Environment } from "../metrics/telemetry-options.ts";

/** What is sent, as the variables and the paths of OTLP call it. */
export type Signal = "traces" | "metrics";

/**
 * Where a signal goes. With any endpoint variable set, the configured endpoint counts for nothing and the library reads
 * the variables itself: `undefined`. One without a scheme is `https`; one without a path gets OTLP's.
 */
export function endpointUrl(
  endpoint: string,
  of: { readonly signal: Signal; readonly protocol: "grpc" | "http/protobuf" | "stdout" },
  environment: Environment,
): string | undefined {
  const variables = ["OTEL_EXPORTER_OTLP_ENDPOINT", `OTEL_EXPORTER_OTLP_${of.signal.toUpperCase()}_ENDPOINT`];
  if (endpoint === "" || variables.some((name) => (environment[name] ?? "") !== "")) return undefined;
  const absolute = endpoint.includes("://") ? endpoint : `https://${endpoint}`;
  if (of.protocol === "grpc" || !URL.canParse(absolute)) return absolute;
  const url = new URL(absolute);
  if (url.pathname === "/") url.pathname = `/v1/${of.signal}`;
  return url.href;
}
