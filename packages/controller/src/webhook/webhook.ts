import {
  assert,
  type Informer,
  isJsonMap,
  isKubeError,
  type KubeClient,
  labels,
  type ObjectRef,
  objectKey,
  type Pod,
  type PodAutoscaler,
  PodAutoscalerKind,
  rouse,
  type Stored,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import type { ClusterControllerDeps } from "../cluster/cluster-controller.ts";
import { LiveSettings } from "../settings/live-settings.ts";
import { type AdmissionRequest, allow, type Verdict } from "./admission-review.ts";
import { CertificateKeeper } from "./certificate-keeper.ts";
import type { WebhookCertificate } from "./certificate-plan.ts";
import { injectSidecar } from "./inject-sidecar.ts";
import { validate } from "./validate.ts";
import { WebhookServer } from "./webhook-server.ts";

/** Names of the configurations in the cluster. */
const MUTATING = "injection.rouse.dev";
const VALIDATING = "validation.rouse.dev";

export interface WebhookOptions {
  readonly ip: string | undefined;
  readonly port: number;
  /** The Service of the system namespace that leads here. */
  readonly service: string;
}

export interface WebhookDeps extends ClusterControllerDeps {
  readonly autoscalers: Pick<Informer<PodAutoscaler>, "get">;
}

/** What the API asks before it stores pods, PodAutoscalers and ServerlessServices. Every replica answers. */
export class Webhook implements AsyncDisposable {
  readonly #server: WebhookServer;
  readonly #owned: AsyncDisposableStack;

  private constructor(server: WebhookServer, owned: AsyncDisposableStack) {
    this.#server = server;
    this.#owned = owned;
  }

  /** Resolves when it has a certificate and listens. */
  static async start(deps: WebhookDeps, { ip, port, service }: WebhookOptions): Promise<Webhook> {
    await using owned = new AsyncDisposableStack();
    const settings = owned.use(new LiveSettings(deps));
    await settings.start();
    const first = Promise.withResolvers<void>();
    let latest: WebhookCertificate | undefined;
    let server: WebhookServer | undefined;
    const keeper = owned.use(
      new CertificateKeeper(
        {
          ...deps,
          changed: (certificate) => {
            latest = certificate;
            server?.setCertificate(certificate.server);
            first.resolve();
          },
        },
        {
          hosts: [`${service}.${SYSTEM_NAMESPACE}.svc`, `${service}.${SYSTEM_NAMESPACE}.svc.cluster.local`],
          mutating: MUTATING,
          validating: VALIDATING,
        },
      ),
    );
    await keeper.start();
    await first.promise;
    assert(latest !== undefined, "a certificate was announced");
    const shown: WebhookCertificate = latest;
    server = owned.use(
      await WebhookServer.start(
        {
          clock: deps.clock,
          log: deps.log,
          verdicts: {
            "/inject": (request) => injected(deps, request, settings),
            "/validate": ({ kind, object }) => validate(kind, object, settings.current),
          },
        },
        { ip, port, certificate: shown.server },
      ),
    );
    server.setCertificate(latest.server); // it may have become another one meanwhile
    return new Webhook(server, owned.move());
  }

  get port(): number {
    return this.#server.port;
  }

  get counts(): WebhookServer["counts"] {
    return this.#server.counts;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }
}

/**
 * A pod that no PodAutoscaler scales any more is left as it is. One our cache does not show is asked for: a pod that got
 * through without its sidecar because a watch was behind would stay like that.
 */
async function injected(
  { autoscalers, client }: Pick<WebhookDeps, "autoscalers" | "client">,
  { namespace, object }: AdmissionRequest,
  settings: LiveSettings,
): Promise<Verdict> {
  if (!isPod(object) || object.metadata.labels?.[rouse.inject] !== "true") return allow;
  const name = object.metadata.labels[labels.revision];
  if (name === undefined) return allow;
  const ref = { namespace, name };
  const autoscaler = autoscalers.get(objectKey(ref)) ?? (await stored(client, ref));
  if (autoscaler?.metadata.annotations?.[rouse.inject] !== "true") return allow;
  return injectSidecar(object, autoscaler, settings.current);
}

/** @throws KubeError when the API cannot say whether there is one: then the pod is not let through */
async function stored(client: KubeClient, ref: ObjectRef): Promise<Stored<PodAutoscaler> | undefined> {
  try {
    return await client.get(PodAutoscalerKind, ref);
  } catch (error) {
    if (isKubeError(error, "NotFound")) return undefined;
    throw error;
  }
}

/** What the API asks about as a pod has passed its own checks of one. */
function isPod(object: unknown): object is Pod {
  if (!isJsonMap(object) || !isJsonMap(object.metadata) || !isJsonMap(object.spec)) return false;
  return Array.isArray(object.spec.containers);
}
