import { metricsText, PlainServer } from "@rouse/shared";

/** `/metrics` for Prometheus, and 200 for whoever asks whether the process lives. S-143. Rejects when it cannot listen. */
export function startMetricsServer(
  metrics: () => string,
  at: { readonly ip: string | undefined; readonly port: number },
): Promise<PlainServer> {
  return PlainServer.start(at, (path) => (path === "/metrics" ? metricsText(metrics()) : { status: 200 }));
}
