import { tlsVariables } from "@rouse/shared";
import { ConfigError } from "./config-error.ts";
import { parseTlsSettings, type TlsSettings } from "./tls-settings.ts";

/** Where Prometheus may come. Q-137 */
export interface PrometheusListener {
  /** Empty: all interfaces. */
  readonly host: string;
  readonly port: number;
  readonly tls: PrometheusTls | undefined;
}

export interface PrometheusTls {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clientAuth: "none" | "optional" | "require";
  readonly clientCaFile: string;
  readonly settings: TlsSettings;
}

const PREFIX = "METRICS_PROMETHEUS";
const PORT = 9_091;
const PORT_MIN = 1_024;
const PORT_MAX = 65_535;
const CLIENT_AUTH = ["none", "optional", "require"] as const;

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
  return { host, port, tls: tlsOf(read) };
}

function tlsOf(read: (name: string) => string): PrometheusTls | undefined {
  const certificateFile = read(`${PREFIX}_TLS_CERT`);
  const keyFile = read(`${PREFIX}_TLS_KEY`);
  if (certificateFile === "" && keyFile === "") return undefined;
  if (certificateFile === "" || keyFile === "") {
    throw new ConfigError("fatal", `both ${PREFIX}_TLS_CERT and ${PREFIX}_TLS_KEY must be set`);
  }
  const asked = read(`${PREFIX}_TLS_CLIENT_AUTH`) || "none";
  const clientAuth = CLIENT_AUTH.find((one) => one === asked);
  if (clientAuth === undefined) throw new ConfigError("fatal", `invalid ${PREFIX}_TLS_CLIENT_AUTH: ${asked}`);
  const clientCaFile = read(`${PREFIX}_TLS_CLIENT_CA_FILE`);
  if (clientAuth !== "none" && clientCaFile === "") {
    throw new ConfigError(
      "fatal",
      `${PREFIX}_TLS_CLIENT_AUTH ${clientAuth} needs ${PREFIX}_TLS_CLIENT_CA_FILE`,
    );
  }
  const settings = parseTlsSettings(read, tlsVariables(`${PREFIX}_TLS`));
  return { certificateFile, keyFile, clientAuth, clientCaFile, settings };
}
