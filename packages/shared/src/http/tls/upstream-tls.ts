import type { Socket } from "node:net";
import type { ConnectionOptions, PeerCertificate } from "node:tls";
import { TCP_KEEP_ALIVE_MS } from "../limits.ts";
import { tlsLibrary } from "./library.ts";

/** How connections to an upstream are secured; PEM texts. */
export interface UpstreamTls {
  /** Whom the upstream's certificate must come from; the system's authorities when absent. */
  readonly ca?: readonly string[];
  /** The name the certificate must carry, and the one we ask for. */
  readonly serverName?: string;
  /** A DNS name the certificate must list as well, to the letter: whose it is. A-124 */
  readonly requiredName?: string;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** The upstream is known to speak HTTP/2: it is spoken even if nothing was agreed on. A-126 */
  readonly assumesHttp2?: boolean;
  /** `false` takes any certificate, as kubelet does when it probes. */
  readonly isVerified?: boolean;
  /** Our own certificate. */
  readonly cert?: string;
  readonly key?: string;
}

/** Opens one TLS connection; it says `secureConnect` when it may be used. */
export function connectTls(
  to: { readonly ip: string; readonly port: number },
  tls: UpstreamTls,
  protocols: readonly ("h2" | "http/1.1")[],
): Socket {
  const options: ConnectionOptions & { allowHalfOpen: boolean } = {
    host: to.ip,
    port: to.port,
    allowHalfOpen: true,
    ALPNProtocols: [...protocols],
    rejectUnauthorized: tls.isVerified ?? true,
  };
  if (tls.ca !== undefined) options.ca = [...tls.ca];
  if (tls.serverName !== undefined) options.servername = tls.serverName;
  if (tls.minVersion !== undefined) options.minVersion = tls.minVersion;
  if (tls.requiredName !== undefined) options.checkServerIdentity = identityWith(tls.requiredName);
  if (tls.cert !== undefined) options.cert = tls.cert;
  if (tls.key !== undefined) options.key = tls.key;
  const socket = tlsLibrary().connect(options);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
  return socket;
}

function identityWith(requiredName: string) {
  return (host: string, certificate: PeerCertificate): Error | undefined => {
    const names = (certificate.subjectaltname ?? "").split(", ");
    if (names.includes(`DNS:${requiredName}`)) return tlsLibrary().checkServerIdentity(host, certificate);
    return Object.assign(new Error(`the certificate is not for ${requiredName}`), {
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
  };
}
