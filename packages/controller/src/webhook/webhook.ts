import {
  assert,
  type Informer,
  isJsonMap,
  labels,
  objectKey,
  type Pod,
  type PodAutoscaler,
  rouse,
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
            "/inject": (request) => injected(request, deps.autoscalers, settings),
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

/** A pod that no PodAutoscaler scales any more is left as it is. */
function injected(
  { namespace, object }: AdmissionRequest,
  autoscalers: WebhookDeps["autoscalers"],
  settings: LiveSettings,
): Verdict {
  if (!isPod(object)) return allow;
  const name = object.metadata.labels?.[labels.revision];
  const autoscaler = name === undefined ? undefined : autoscalers.get(objectKey({ namespace, name }));
  if (autoscaler?.metadata.annotations?.[rouse.inject] !== "true") return allow;
  return injectSidecar(object, autoscaler, settings.current);
}

/** What the API asks about as a pod has passed its own checks of one. */
function isPod(object: unknown): object is Pod {
  if (!isJsonMap(object) || !isJsonMap(object.metadata) || !isJsonMap(object.spec)) return false;
  return Array.isArray(object.spec.containers);
}
