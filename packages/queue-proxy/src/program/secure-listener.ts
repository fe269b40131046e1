import { assert, type Clock, HttpServer, type Logger } from "@rouse/shared";
import { ConfigError } from "../config/config-error.ts";
import type { TlsSettings } from "../config/tls-settings.ts";
import type { Config } from "../config.ts";
import { type Certificate, CertificateFiles } from "../listen/certificate-files.ts";
import type { QueueProxy } from "../wiring.ts";

/**
 * The main port by TLS, from the moment there are certificates (§11). TLS itself is loaded only where they are, as it
 * costs a sidecar without it 2 MB. @throws ConfigError for settings or certificates that cannot be used
 */
export async function startSecureListener(
  deps: { readonly clock: Clock; readonly log: Logger },
  proxy: QueueProxy,
  config: Config,
  ip: string,
): Promise<Disposable | undefined> {
  const { log } = deps;
  let server: HttpServer | undefined;
  const listen = async (certificate: Certificate): Promise<void> => {
    applyDefaults(config.tlsSettings());
    const listener = await proxy.listen({ ip, port: config.tlsPort, certificate });
    if (listener instanceof HttpServer) server = listener;
    log.info(`Starting tls server main :${config.tlsPort}`);
  };
  const changed = (certificate: Certificate): void => {
    if (server !== undefined) server.setCertificate(certificate);
    else
      void listen(certificate).catch((error: unknown) =>
        log.error("cannot listen", { error: String(error) }),
      );
  };
  const opened = open(() => CertificateFiles.open({ ...deps, changed }, config.certificateDirectory));
  if (opened?.certificate !== undefined) await listen(opened.certificate);
  return opened?.files;
}

function open<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new ConfigError(
      "fatal",
      `failed to load certificates: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/**
 * Node's defaults are set rather than the listener's own options: the process has one TLS listener, and the questions it
 * asks by TLS itself say what they want.
 */
function applyDefaults({ minVersion, maxVersion, ciphers, curves }: TlsSettings): void {
  const tls = process.getBuiltinModule("node:tls");
  assert(tls !== undefined, "node:tls is part of Node");
  Object.assign(tls, {
    DEFAULT_MIN_VERSION: minVersion,
    DEFAULT_MAX_VERSION: maxVersion ?? "TLSv1.3",
    ...(ciphers === undefined || ciphers === "" ? {} : { DEFAULT_CIPHERS: `${TLS13_CIPHERS}:${ciphers}` }),
    ...(curves === undefined ? {} : { DEFAULT_ECDH_CURVE: curves }),
  });
}

const TLS13_CIPHERS = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
