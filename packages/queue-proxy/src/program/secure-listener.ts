import { type Clock, HttpServer, type Logger } from "@rouse/shared";
import { ConfigError } from "../config/config-error.ts";
import type { Config } from "../config.ts";
import { type Certificate, CertificateFiles } from "../listen/certificate-files.ts";
import type { QueueProxy } from "../wiring.ts";

/** As long as the reference waits. Q-161 */
const HANDSHAKE_MS = 60_000;

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
    const tlsSettings = { ...config.tlsSettings(), handshakeMs: HANDSHAKE_MS };
    const name = `main :${config.tlsPort}`;
    log.info(`Starting tls server ${name}`);
    try {
      const listener = await proxy.listen({ ip, port: config.tlsPort, certificate, tlsSettings });
      if (listener instanceof HttpServer) server = listener;
    } catch (error) {
      const because = error instanceof Error ? error.message : String(error);
      throw new ConfigError(
        "fatal",
        `Failed to bring up queue-proxy, shutting down: tls server ${name}: ${because}`,
      );
    }
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
