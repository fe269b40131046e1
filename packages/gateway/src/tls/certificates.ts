import { createSecureContext, type SecureContext } from "node:tls";
import {
  type Authority,
  type Clock,
  issueCertificate,
  type Logger,
  type ServerCertificate,
} from "@rouse/shared";

export interface CertificatesDeps {
  readonly clock: Pick<Clock, "wall">;
  readonly log: Logger;
  /** Signs certificates for hosts that bring none. Without it, these get the default one. */
  readonly authority: Authority | undefined;
  /** Whether some route has the host: certificates are made for nobody else. */
  readonly isKnown: (host: string) => boolean;
  /** The certificate somebody gave for the host. C-117 */
  readonly given: (host: string) => Pick<ServerCertificate, "cert" | "key"> | undefined;
}

/** Certificates are kept for this many hosts, those asked for last. */
const CONTEXTS_MAX = 1_024;
/** Made anew this long before they would have to be: far less than a server certificate lives. */
const RENEWAL_MS = 30 * 86_400_000;

interface Kept {
  readonly context: SecureContext;
  readonly source: string;
  readonly madeAt: number;
}

/** Which certificate a client sees, by the name it asks for: the one given for it, else one made for it here. */
export class Certificates {
  readonly #deps: CertificatesDeps;
  readonly #kept = new Map<string, Kept>();

  constructor(deps: CertificatesDeps) {
    this.#deps = deps;
  }

  /** `undefined`: the listener's own certificate is to be shown. */
  readonly contextOf = (serverName: string): SecureContext | undefined => {
    const host = serverName.toLowerCase();
    const given = this.#deps.given(host);
    if (given !== undefined) return this.#context(host, given.cert, () => given);
    const { authority, clock, isKnown } = this.#deps;
    if (authority === undefined || !isKnown(host)) return undefined;
    return this.#context(host, "", () => issueCertificate(authority, { hosts: [host], now: clock.wall() }));
  };

  #context(host: string, source: string, make: () => Authority): SecureContext | undefined {
    const now = this.#deps.clock.wall();
    const before = this.#kept.get(host);
    if (before?.source === source && now - before.madeAt < RENEWAL_MS) {
      this.#kept.delete(host); // to the end: the first is the one asked for longest ago
      this.#kept.set(host, before);
      return before.context;
    }
    try {
      const { cert, key } = make();
      const context = createSecureContext({ cert, key });
      this.#kept.delete(host);
      this.#kept.set(host, { context, source, madeAt: now });
      for (const oldest of this.#kept.keys()) {
        if (this.#kept.size <= CONTEXTS_MAX) break;
        this.#kept.delete(oldest);
      }
      return context;
    } catch (error) {
      this.#deps.log.warn("certificate cannot be used", { host, error: String(error) });
      return undefined;
    }
  }
}
