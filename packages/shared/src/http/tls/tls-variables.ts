import type { TlsSettings } from "./tls-listener.ts";

/** Environment variables that say what is offered in handshakes; `tlsVariables` makes them of their beginning. */
export interface TlsVariables {
  readonly minVersion: string;
  readonly maxVersion: string;
  readonly cipherSuites: string;
  readonly curvePreferences: string;
}

type TlsVersion = NonNullable<TlsSettings["minVersion"]>;

/** A variable asks for what there is not. */
export class TlsVariableError extends Error {
  override readonly name = "TlsVariableError";
}

/** The suites Go calls secure, by their IANA names. Those of TLS 1.3 are always on. */
const CIPHERS: Readonly<Record<string, string>> = {
  TLS_AES_128_GCM_SHA256: "",
  TLS_AES_256_GCM_SHA384: "",
  TLS_CHACHA20_POLY1305_SHA256: "",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: "ECDHE-ECDSA-AES128-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: "ECDHE-ECDSA-AES256-SHA",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: "ECDHE-RSA-AES128-SHA",
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: "ECDHE-RSA-AES256-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
};
/** HTTP/2 demands one of these. RFC 9113 §9.2.2 */
const FOR_HTTP2 = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"];
const CURVES: Readonly<Record<string, string>> = {
  X25519: "X25519",
  X25519MLKEM768: "X25519MLKEM768",
  CurveP256: "P-256",
  "P-256": "P-256",
  CurveP384: "P-384",
  "P-384": "P-384",
  CurveP521: "P-521",
  "P-521": "P-521",
};

/** TLS 1.3 at least unless told. @throws TlsVariableError */
export function parseTlsVariables(
  read: (name: string) => string,
  names: TlsVariables,
  defaultMinVersion: TlsVersion = "TLSv1.3",
): TlsSettings & { readonly minVersion: TlsVersion } {
  const suites = itemsOf(read(names.cipherSuites));
  const known = suites.map((suite) => {
    const cipher = CIPHERS[suite];
    if (cipher === undefined)
      throw refused(names.cipherSuites, `unknown cipher suite ${JSON.stringify(suite)}`);
    return cipher;
  });
  if (suites.length > 0 && !suites.some((suite) => FOR_HTTP2.includes(suite))) {
    throw refused(names.cipherSuites, `http2 needs ${FOR_HTTP2.join(" or ")}`);
  }
  const curves = itemsOf(read(names.curvePreferences)).map((item) => {
    const curve = CURVES[item];
    if (curve === undefined) throw refused(names.curvePreferences, `unknown curve ${JSON.stringify(item)}`);
    return curve;
  });
  return {
    minVersion: versionOf(read(names.minVersion), names.minVersion) ?? defaultMinVersion,
    maxVersion: versionOf(read(names.maxVersion), names.maxVersion),
    ciphers: suites.length === 0 ? undefined : known.filter((cipher) => cipher !== "").join(":"),
    curves: curves.length === 0 ? undefined : curves.join(":"),
  };
}

export function tlsVariables(prefix: string): TlsVariables {
  return {
    minVersion: `${prefix}_MIN_VERSION`,
    maxVersion: `${prefix}_MAX_VERSION`,
    cipherSuites: `${prefix}_CIPHER_SUITES`,
    curvePreferences: `${prefix}_CURVE_PREFERENCES`,
  };
}

function versionOf(text: string, name: string): TlsVersion | undefined {
  switch (text.trim()) {
    case "":
      return undefined;
    case "1.2":
      return "TLSv1.2";
    case "1.3":
      return "TLSv1.3";
    default:
      throw refused(name, `unsupported TLS version ${JSON.stringify(text)}`);
  }
}

function itemsOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function refused(name: string, because: string): TlsVariableError {
  return new TlsVariableError(`invalid ${name}: ${because}`);
}
