import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  type ConfigMap,
  ConfigMapKind,
  Informer,
  type InformerDeps,
  type Logger,
  objectKey,
  type Secret,
  SecretKind,
  type ServerCertificate,
  type UpstreamTls,
} from "@rouse/shared";

const SECRET = "routing-serving-certs";
const TRUST_BUNDLES = "networking.knative.dev/trust-bundle";
/** What the certificate of every pod is for; whose pod it is it says besides. A §10 */
const DATA_PLANE = "data-plane.knative.dev";
const POD_NAME_PREFIX = "kn-user-";

/** Told of each certificate that takes the place of the one before. */
export type CertificateListener = (certificate: ServerCertificate) => void;

/**
 * The activator's own certificate and whom it trusts, as they are in the system namespace now. What cannot be used is
 * told and left out: of a new certificate the one before stays, of a bundle everything else. New
 * handshakes take what holds then; connections there are stay.
 */
export class ClusterCertificates implements Disposable {
  readonly #log: Logger;
  readonly #secrets: Informer<Secret>;
  readonly #bundles: Informer<ConfigMap>;
  #certificate: ServerCertificate | undefined;
  #trusted: readonly string[] = [];
  #listener: CertificateListener = () => {};

  private constructor(deps: InformerDeps & { readonly log: Logger }, namespace: string) {
    this.#log = deps.log;
    const changed = (): void => this.#trust();
    this.#secrets = new Informer<Secret>(deps, SecretKind, {
      namespace,
      fieldSelector: `metadata.name=${SECRET}`,
    }).handle({ changed: (secret) => this.#secretChanged(secret), removed: changed });
    this.#bundles = new Informer<ConfigMap>(deps, ConfigMapKind, {
      namespace,
      labelSelector: TRUST_BUNDLES,
    }).handle({ changed, removed: changed });
  }

  /** @throws Error when there is no certificate, or none that can be used */
  static async start(
    deps: InformerDeps & { readonly log: Logger },
    namespace: string,
  ): Promise<ClusterCertificates> {
    const certificates = new ClusterCertificates(deps, namespace);
    await Promise.all([certificates.#secrets.start(), certificates.#bundles.start()]);
    if (certificates.#certificate !== undefined) return certificates;
    const isThere = certificates.#secrets.get(objectKey({ namespace, name: SECRET })) !== undefined;
    certificates[Symbol.dispose]();
    throw new Error(
      isThere
        ? `the secret ${namespace}/${SECRET} holds no certificate that can be used`
        : `there is no secret ${namespace}/${SECRET}, and system-internal-tls is on`,
    );
  }

  get certificate(): ServerCertificate {
    return this.#certificate ?? { cert: "", key: "" };
  }

  /** `listener` is told of each certificate that comes after this one. */
  follow(listener: CertificateListener): void {
    this.#listener = listener;
  }

  /** How to speak to pods of that namespace, at this moment. A §10 */
  toPodsOf(namespace: string): UpstreamTls {
    return {
      ca: this.#trusted,
      serverName: DATA_PLANE,
      requiredName: POD_NAME_PREFIX + namespace.toLowerCase(),
      minVersion: "TLSv1.3",
      assumesHttp2: true,
    };
  }

  [Symbol.dispose](): void {
    this.#secrets[Symbol.dispose]();
    this.#bundles[Symbol.dispose]();
  }

  #secretChanged({ data = {} }: Secret): void {
    this.#trust();
    const [cert, key] = [decoded(data["tls.crt"]), decoded(data["tls.key"])];
    try {
      if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
        throw new Error("the key is not the certificate's");
      }
    } catch (error) {
      this.#log.warn("a certificate cannot be used", { secret: SECRET, because: textOf(error) });
      return;
    }
    if (cert === this.#certificate?.cert && key === this.#certificate.key) return;
    this.#certificate = { cert, key };
    this.#listener(this.#certificate);
  }

  #trust(): void {
    const texts: [from: string, text: string][] = [];
    for (const { metadata, data = {} } of this.#secrets.list()) {
      if (data["ca.crt"] !== undefined) texts.push([metadata.name, decoded(data["ca.crt"])]);
    }
    for (const { metadata, data = {} } of this.#bundles.list()) {
      for (const text of Object.values(data)) texts.push([metadata.name, text]);
    }
    this.#trusted = texts.flatMap(([from, text]) => this.#authorities(from, text));
  }

  /** Every certificate of the text that is one. */
  #authorities(from: string, text: string): readonly string[] {
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
    if (blocks.length === 0) this.#log.warn("no certificate in a trust bundle", { from });
    return blocks.filter((block) => {
      try {
        return new X509Certificate(block).raw.length > 0;
      } catch (error) {
        this.#log.warn("a certificate of a trust bundle cannot be used", { from, because: textOf(error) });
        return false;
      }
    });
  }
}

function decoded(base64: string | undefined): string {
  return Buffer.from(base64 ?? "", "base64").toString("latin1");
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
