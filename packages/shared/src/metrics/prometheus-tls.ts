import { readFileSync } from "node:fs";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import type { TlsSettings } from "../http/tls/tls-listener.ts";
import { parseTlsVariables, TlsVariableError, tlsVariables } from "../http/tls/tls-variables.ts";

/** How Prometheus is served by TLS. */
export interface PrometheusTls {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clientAuth: "none" | "optional" | "require";
  /** Empty where clients show no certificates. */
  readonly clientCaFile: string;
  readonly settings: TlsSettings;
}

const PREFIX = "METRICS_PROMETHEUS_TLS";
const CLIENT_AUTH = ["none", "optional", "require"] as const;

/** `undefined` where no certificate is named. @throws TlsVariableError */
export function parsePrometheusTls(read: (name: string) => string): PrometheusTls | undefined {
  const [certificateFile, keyFile] = [read(`${PREFIX}_CERT`), read(`${PREFIX}_KEY`)];
  if (certificateFile === "" && keyFile === "") return undefined;
  if (certificateFile === "" || keyFile === "") {
    throw new TlsVariableError(`both ${PREFIX}_CERT and ${PREFIX}_KEY must be set`);
  }
  const asked = read(`${PREFIX}_CLIENT_AUTH`) || "none";
  const clientAuth = CLIENT_AUTH.find((one) => one === asked);
  if (clientAuth === undefined) throw new TlsVariableError(`invalid ${PREFIX}_CLIENT_AUTH: ${asked}`);
  const clientCaFile = read(`${PREFIX}_CLIENT_CA_FILE`);
  if (clientAuth !== "none" && clientCaFile === "") {
    throw new TlsVariableError(`${PREFIX}_CLIENT_AUTH ${clientAuth} needs ${PREFIX}_CLIENT_CA_FILE`);
  }
  const settings = parseTlsVariables(read, tlsVariables(PREFIX));
  return { certificateFile, keyFile, clientAuth, clientCaFile, settings };
}

/** The same as Node's listeners take it. @throws Error when a file cannot be read */
export function prometheusTlsOptions(tls: PrometheusTls): SecureContextOptions & TlsOptions {
  const { minVersion, maxVersion, ciphers, curves } = tls.settings;
  return {
    cert: readFileSync(tls.certificateFile),
    key: readFileSync(tls.keyFile),
    requestCert: tls.clientAuth !== "none",
    rejectUnauthorized: tls.clientAuth === "require",
    ...(tls.clientCaFile === "" ? {} : { ca: readFileSync(tls.clientCaFile) }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(curves === undefined ? {} : { ecdhCurve: curves }),
  };
}
