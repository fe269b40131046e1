import { readFileSync } from "node:fs";
import { parseTlsVariables, type TlsSettings, tlsVariables } from "@rouse/shared";

/** How Prometheus is served by TLS. A-4 */
export interface MetricsTls {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clientAuth: "none" | "optional" | "require";
  /** Empty where clients show no certificates. */
  readonly clientCaFile: string;
  readonly settings: TlsSettings;
}

const PREFIX = "METRICS_PROMETHEUS_TLS";
const CLIENT_AUTH = ["none", "optional", "require"] as const;

/** `undefined` where no certificate is named. @throws Error that says which variable makes no sense */
export function parseMetricsTls(read: (name: string) => string): MetricsTls | undefined {
  const [certificateFile, keyFile] = [read(`${PREFIX}_CERT`), read(`${PREFIX}_KEY`)];
  if (certificateFile === "" && keyFile === "") return undefined;
  if (certificateFile === "" || keyFile === "")
    throw new Error(`needs both ${PREFIX}_CERT and ${PREFIX}_KEY`);
  const asked = read(`${PREFIX}_CLIENT_AUTH`) || "none";
  const clientAuth = CLIENT_AUTH.find((one) => one === asked);
  if (clientAuth === undefined) throw new Error(`_CLIENT_AUTH is to be one of ${CLIENT_AUTH.join(", ")}`);
  const clientCaFile = read(`${PREFIX}_CLIENT_CA_FILE`);
  if (clientAuth !== "none" && clientCaFile === "") throw new Error(`needs ${PREFIX}_CLIENT_CA_FILE`);
  const settings = parseTlsVariables(read, tlsVariables(PREFIX));
  return { certificateFile, keyFile, clientAuth, clientCaFile, settings };
}

/** The same as Node's listeners take it. @throws Error when a file cannot be read */
export function listenerOptions({
  certificateFile,
  keyFile,
  clientAuth,
  clientCaFile,
  settings,
}: MetricsTls) {
  const { minVersion, maxVersion, ciphers, curves } = settings;
  return {
    cert: readFileSync(certificateFile),
    key: readFileSync(keyFile),
    requestCert: clientAuth !== "none",
    rejectUnauthorized: clientAuth === "require",
    ...(clientCaFile === "" ? {} : { ca: readFileSync(clientCaFile) }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(curves === undefined ? {} : { ecdhCurve: curves }),
  };
}
