import {
  Informer,
  type InformerDeps,
  type ObjectKey,
  type Secret,
  SecretKind,
  type ServerCertificate,
} from "@rouse/shared";

/** The certificates in Secrets of type `kubernetes.io/tls`, and of any other with the same two keys. C-117 */
export class GivenCertificates implements Disposable {
  readonly #secrets: Informer<Secret>;
  readonly #secretOf: (host: string) => ObjectKey | undefined;

  /** @param secretOf the Secret that some Ingress in force names for a host */
  constructor(deps: InformerDeps, secretOf: (host: string) => ObjectKey | undefined) {
    this.#secrets = new Informer<Secret>(deps, SecretKind);
    this.#secretOf = secretOf;
  }

  async start(): Promise<void> {
    await this.#secrets.start();
  }

  readonly of = (host: string): Pick<ServerCertificate, "cert" | "key"> | undefined => {
    const key = this.#secretOf(host);
    const data = key === undefined ? undefined : this.#secrets.get(key)?.data;
    const cert = data?.["tls.crt"];
    const privateKey = data?.["tls.key"];
    if (cert === undefined || privateKey === undefined) return undefined;
    return { cert: decoded(cert), key: decoded(privateKey) };
  };

  [Symbol.dispose](): void {
    this.#secrets[Symbol.dispose]();
  }
}

function decoded(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}
