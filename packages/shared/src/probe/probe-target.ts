import type { Probe } from "../kube/kinds/core.ts";

/** What a readiness probe does, with all defaults filled in. */
export type ProbeTarget =
  | { readonly kind: "tcp"; readonly ip: string; readonly port: number }
  | {
      readonly kind: "http";
      readonly scheme: "http" | "https";
      readonly ip: string;
      readonly port: number;
      /** As it is sent: begins with a slash, may carry a query. */
      readonly path: string;
      readonly headers: readonly (readonly [name: string, value: string])[];
    }
  | { readonly kind: "grpc"; readonly ip: string; readonly port: number; readonly service: string };

export interface ProbeDefaults {
  readonly ip: string;
  /** Used where the probe names no number. */
  readonly port: number;
}

/**
 * The target of a Kubernetes probe: no probe is a TCP probe of the program's port; `exec` becomes one too, as the
 * controller does before queue-proxy sees it; a port that is a name or 0 means the program's port.
 */
export function probeTarget(probe: Probe | undefined, defaults: ProbeDefaults): ProbeTarget {
  if (probe?.httpGet !== undefined) {
    const { path = "/", port, scheme = "HTTP", host, httpHeaders = [] } = probe.httpGet;
    return {
      kind: "http",
      scheme: scheme.toUpperCase() === "HTTPS" ? "https" : "http",
      ip: host ?? defaults.ip,
      port: portNumber(port, defaults.port),
      path: requestPath(path),
      headers: httpHeaders.map(({ name, value }) => [name, value] as const),
    };
  }
  if (probe?.grpc !== undefined) {
    const { port, service = "" } = probe.grpc;
    return { kind: "grpc", ip: defaults.ip, port: portNumber(port, defaults.port), service };
  }
  const { host, port } = probe?.tcpSocket ?? {};
  return { kind: "tcp", ip: host ?? defaults.ip, port: portNumber(port, defaults.port) };
}

/** Dot segments stay, as kubelet leaves them; what no request may hold is escaped, and a fragment is left out. Q-98 */
function requestPath(path: string): string {
  const [asked = ""] = path.split("#", 1);
  const escaped = asked.toWellFormed().replace(/[^\x21-\x7e]|["<>\\^`{|}]/gu, encodeURIComponent);
  return escaped.startsWith("/") ? escaped : `/${escaped}`;
}

function portNumber(port: number | string | undefined, otherwise: number): number {
  const number = Number(port ?? 0);
  return Number.isInteger(number) && number > 0 ? number : otherwise;
}
