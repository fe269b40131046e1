import {
  type Clock,
  Informer,
  isKubeError,
  type JsonPatchOperation,
  type Kind,
  type KubeClient,
  type Logger,
  MutatingWebhookConfigurationKind,
  objectKey,
  type Random,
  type Secret,
  SecretKind,
  type Stored,
  SYSTEM_NAMESPACE,
  ValidatingWebhookConfigurationKind,
  type WebhookConfiguration,
} from "@rouse/shared";
import { planCertificate, type WebhookCertificate } from "./certificate-plan.ts";

/** Looked at this often whatever happens: a certificate does not say when it ends. */
const CHECK_MS = 3_600_000;
const RETRY_MS = 1_000;
const SECRET = { namespace: SYSTEM_NAMESPACE, name: "rouse-webhook-certificates" };

export interface CertificateKeeperDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** There is another certificate to show. */
  readonly changed: (certificate: WebhookCertificate) => void;
}

export interface CertificateKeeperOptions {
  /** Names of the webhook as the API calls it. */
  readonly hosts: readonly string[];
  /** Names of the two configurations whose webhooks get the bundle. */
  readonly mutating: string;
  readonly validating: string;
}

/**
 * Sees to it that the webhook can be trusted: makes its certificate, keeps it in a Secret that all replicas share, and
 * writes the authority into the webhook configurations. Every replica does so; who comes second finds it done.
 */
export class CertificateKeeper implements Disposable {
  readonly #deps: CertificateKeeperDeps;
  readonly #options: CertificateKeeperOptions;
  readonly #secret: Informer<Secret>;
  readonly #configurations: readonly (readonly [
    Kind<WebhookConfiguration>,
    Informer<WebhookConfiguration>,
  ])[];
  #timer: Disposable | undefined;
  #shown = "";
  #bundle = "";
  #isBusy = false;
  #isAgain = false;
  #isClosed = false;

  constructor(deps: CertificateKeeperDeps, options: CertificateKeeperOptions) {
    this.#deps = deps;
    this.#options = options;
    const again = { changed: () => this.look(), removed: () => this.look() };
    const named = (name: string) => ({ fieldSelector: `metadata.name=${name}` });
    this.#secret = new Informer<Secret>(deps, SecretKind, {
      namespace: SECRET.namespace,
      ...named(SECRET.name),
    }).handle(again);
    this.#configurations = [
      [
        MutatingWebhookConfigurationKind,
        new Informer<WebhookConfiguration>(
          deps,
          MutatingWebhookConfigurationKind,
          named(options.mutating),
        ).handle(again),
      ],
      [
        ValidatingWebhookConfigurationKind,
        new Informer<WebhookConfiguration>(
          deps,
          ValidatingWebhookConfigurationKind,
          named(options.validating),
        ).handle(again),
      ],
    ];
  }

  async start(): Promise<void> {
    await Promise.all([this.#secret.start(), ...this.#configurations.map(([, cache]) => cache.start())]);
    this.look();
  }

  /** Brings Secret and configurations to what they have to be. At most one pass at a time. */
  look(): void {
    if (this.#isClosed || !this.#secret.isSynced) return;
    if (this.#isBusy) {
      this.#isAgain = true;
      return;
    }
    this.#isBusy = true;
    void this.#pass();
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    this.#secret[Symbol.dispose]();
    for (const [, cache] of this.#configurations) cache[Symbol.dispose]();
  }

  async #pass(): Promise<void> {
    let afterMs = CHECK_MS;
    try {
      await this.#bringSecret();
      for (const [kind, cache] of this.#configurations) {
        for (const configuration of cache.list()) await this.#bringBundle(kind, configuration);
      }
    } catch (error) {
      // Somebody else wrote it: the event brings the next pass, the timer only if that got lost.
      if (!isKubeError(error, "Conflict") && !isKubeError(error, "AlreadyExists")) {
        this.#deps.log.warn("webhook certificate not kept", { error: String(error) });
      }
      afterMs = RETRY_MS;
    }
    this.#isBusy = false;
    if (this.#isClosed) return;
    this.#timer?.[Symbol.dispose]();
    if (this.#isAgain) {
      this.#isAgain = false;
      this.look();
    } else this.#timer = this.#deps.clock.after(afterMs, () => this.look());
  }

  async #bringSecret(): Promise<void> {
    const { client, clock, log } = this.#deps;
    const stored = this.#secret.get(objectKey(SECRET));
    const plan = planCertificate(stored?.data, { hosts: this.#options.hosts, now: clock.wall() });
    if (plan.kind === "store") {
      log.info("webhook certificate made", { secret: `${SECRET.namespace}/${SECRET.name}` });
      const secret = { apiVersion: "v1", kind: "Secret", metadata: SECRET, type: "Opaque", data: plan.data };
      if (stored === undefined) await client.create(SecretKind, secret);
      else await client.update(SecretKind, { ...stored, data: plan.data });
    }
    const { certificate } = plan;
    this.#bundle = Buffer.from(certificate.bundle).toString("base64");
    if (this.#shown === certificate.server.cert) return;
    this.#shown = certificate.server.cert;
    this.#deps.changed(certificate);
  }

  async #bringBundle(
    kind: Kind<WebhookConfiguration>,
    { metadata, webhooks = [] }: Stored<WebhookConfiguration>,
  ) {
    const operations = webhooks.flatMap(({ name, clientConfig }, index): JsonPatchOperation[] =>
      clientConfig.caBundle === this.#bundle
        ? []
        : [
            { op: "test", path: `/webhooks/${index}/name`, value: name },
            { op: "add", path: `/webhooks/${index}/clientConfig/caBundle`, value: this.#bundle },
          ],
    );
    if (operations.length === 0) return;
    await this.#deps.client.patch(kind, { namespace: "", name: metadata.name }, { kind: "json", operations });
  }
}
