import { type PrometheusTls, parsePrometheusTls } from "@rouse/shared";
import { ConfigError } from "./config-error.ts";
import { tlsOrFatal } from "./tls-settings.ts";

/** Where Prometheus may come. Q-137 */
export interface PrometheusListener {
  /** Empty: all interfaces. */
  readonly host: string;
  readonly port: number;
  readonly tls: PrometheusTls | undefined;
}

const PREFIX = "METRICS_PROMETHEUS";
const PORT = 9_091;
const PORT_MIN = 1_024;
const PORT_MAX = 65_535;

/** @param endpoint `host:port`, over which the environment goes. @throws ConfigError `fatal` */
export function parsePrometheusListener(
  read: (name: string) => string,
  endpoint: string,
): PrometheusListener {
  const cut = endpoint.lastIndexOf(":");
  if (endpoint !== "" && cut < 0)
    throw new ConfigError("fatal", `prometheus endpoint ${endpoint} has no port`);
  const host = read(`${PREFIX}_HOST`) || endpoint.slice(0, Math.max(0, cut)).replace(/^\[(.*)\]$/, "$1");
  const portText = read(`${PREFIX}_PORT`) || endpoint.slice(cut + 1);
  const port = portText === "" ? PORT : Number(portText);
  if (!Number.isInteger(port) || port < PORT_MIN || port > PORT_MAX) {
    throw new ConfigError("fatal", `prometheus port must be in ${PORT_MIN}-${PORT_MAX}, and is ${portText}`);
  }
  return { host, port, tls: tlsOrFatal(() => parsePrometheusTls(read)) };
}
