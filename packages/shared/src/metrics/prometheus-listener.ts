import type { LocalResponse } from "../http/exchange.ts";
import { onlyForReading, PlainServer, pathNotFound } from "../http/plain-server.ts";
import { EXPOSITION_CONTENT_TYPE, exposition } from "./exposition.ts";
import type { Family } from "./family.ts";
import { type PrometheusTls, prometheusTlsOptions } from "./prometheus-tls.ts";

/** Where Prometheus comes. */
export interface PrometheusAddress {
  /** `undefined` = all interfaces. */
  readonly ip: string | undefined;
  readonly port: number;
  readonly tls: PrometheusTls | undefined;
}

/** `GET /metrics` and nothing else.. Rejects when it cannot listen. */
export async function startPrometheusListener(
  families: () => readonly Family[],
  { ip, port, tls }: PrometheusAddress,
): Promise<PlainServer> {
  const secure = tls === undefined ? {} : { tls: prometheusTlsOptions(tls) };
  return await PlainServer.start({ ip, port, ...secure }, (path, { method }) => {
    if (path !== "/metrics") return pathNotFound;
    return method === "GET" || method === "HEAD" ? metricsText(exposition(families())) : onlyForReading;
  });
}

export function metricsText(text: string): LocalResponse {
  return { status: 200, headers: { "Content-Type": EXPOSITION_CONTENT_TYPE }, body: text };
}
