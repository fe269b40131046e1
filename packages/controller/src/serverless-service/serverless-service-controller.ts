import {
  ACTIVATOR_SERVICE,
  type Deployment,
  DeploymentKind,
  type Endpoints,
  EndpointsKind,
  EventRecorder,
  Informer,
  type Lister,
  labels,
  type ObjectKey,
  objectKey,
  ReconcileLoop,
  type ServerlessService,
  ServerlessServiceKind,
  type Service,
  ServiceKind,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import {
  type ClusterController,
  type ClusterControllerDeps,
  reportFailure,
} from "../cluster/cluster-controller.ts";
import { Leadership } from "../cluster/leadership.ts";
import { ServerlessServiceReconciler } from "./serverless-service-reconciler.ts";

/** Everything is looked at again this often, should an event ever have been missed. C-11. */
const RESYNC_MS = 36_000_000;
/** That of the stock controller's reconciler of one bucket: of the two, one writes at a time, and either may take over. */
const LEASE = "controller.knative.dev.serving.pkg.reconciler.serverlessservice.reconciler.00-of-01";

/**
 * The ServerlessService controller alone, as it runs in a cluster. It watches what carries the labels of its own
 * objects, and of Deployments those of revisions, so that a large cluster's other objects cost it nothing.
 */
export class ServerlessServiceController implements ClusterController {
  readonly lease = LEASE;
  readonly #deps: ClusterControllerDeps;
  readonly #leadership = new Leadership();
  readonly #serverlessServices: Informer<ServerlessService>;
  readonly #deployments: Informer<Deployment>;
  readonly #services: Informer<Service>;
  readonly #endpoints: Informer<Endpoints>;
  readonly #activators: Informer<Endpoints>;
  readonly #loop: ReconcileLoop;
  #resync: Disposable | undefined;

  constructor(deps: ClusterControllerDeps) {
    this.#deps = deps;
    const owned = { labelSelector: labels.serverlessService };
    const activators = objectKey({ namespace: SYSTEM_NAMESPACE, name: ACTIVATOR_SERVICE });
    this.#serverlessServices = new Informer(deps, ServerlessServiceKind);
    this.#deployments = new Informer(deps, DeploymentKind, { labelSelector: labels.revision });
    this.#services = new Informer(deps, ServiceKind, owned);
    this.#endpoints = new Informer(deps, EndpointsKind, owned);
    this.#activators = new Informer(deps, EndpointsKind, {
      namespace: SYSTEM_NAMESPACE,
      fieldSelector: `metadata.name=${ACTIVATOR_SERVICE}`,
    });
    this.#loop = new ReconcileLoop(
      { clock: deps.clock, onError: reportFailure(deps.log) },
      this.#leadership.guard(
        new ServerlessServiceReconciler({
          ...deps,
          events: new EventRecorder(deps),
          serverlessServices: this.#serverlessServices,
          deployments: this.#deployments,
          services: this.#services,
          endpoints: firstOf(this.#endpoints, this.#activators),
          activators,
        }),
      ),
    );
    this.#watch();
  }

  async start(): Promise<void> {
    const caches = [
      this.#activators,
      this.#deployments,
      this.#services,
      this.#endpoints,
      this.#serverlessServices,
    ];
    await Promise.all(caches.map((cache) => cache.start()));
    this.#planResync();
  }

  lead(): void {
    this.#leadership.isLeading = true;
    for (const { metadata } of this.#serverlessServices.list()) this.#loop.add(objectKey(metadata));
  }

  follow(): void {
    this.#leadership.isLeading = false;
  }

  [Symbol.dispose](): void {
    this.follow();
    this.#resync?.[Symbol.dispose]();
    this.#loop[Symbol.dispose]();
    for (const cache of [this.#serverlessServices, this.#endpoints, this.#services]) cache[Symbol.dispose]();
    for (const cache of [this.#deployments, this.#activators]) cache[Symbol.dispose]();
  }

  /** K-52. What carries the label of a revision or of a ServerlessService names the key to look at. */
  #watch(): void {
    this.#serverlessServices.handle(told(({ metadata }) => this.#loop.add(objectKey(metadata))));
    const add = (namespace: string, name: string | undefined): void => {
      if (name !== undefined) this.#loop.add(objectKey({ namespace, name }));
    };
    this.#services.handle(
      told(({ metadata }) => add(metadata.namespace, metadata.labels?.[labels.serverlessService])),
    );
    this.#endpoints.handle(
      told(({ metadata }) => add(metadata.namespace, metadata.labels?.[labels.serverlessService])),
    );
    // Only one that appears matters, to those that wait for it: its selector never changes (K-21).
    this.#deployments.handle({
      changed: ({ metadata }, before) => {
        if (before === undefined) add(metadata.namespace, metadata.labels?.[labels.revision]);
      },
      removed: () => {},
    });
    this.#activators.handle(told(() => this.#lookAgain()));
  }

  #lookAgain(): void {
    for (const { metadata } of this.#serverlessServices.list()) this.#loop.addSlow(objectKey(metadata));
  }

  #planResync(): void {
    this.#resync = this.#deps.clock.after(RESYNC_MS, () => {
      this.#lookAgain();
      this.#planResync();
    });
  }
}

function told<T>(look: (object: T) => void): { changed: (object: T) => void; removed: (last: T) => void } {
  return { changed: look, removed: look };
}

/** What either of two caches has; their objects never overlap. */
function firstOf(first: Lister<Endpoints>, second: Lister<Endpoints>): Lister<Endpoints> {
  return {
    get: (key: ObjectKey) => first.get(key) ?? second.get(key),
    *list() {
      yield* first.list();
      yield* second.list();
    },
    byLabel: (label, value) => [...first.byLabel(label, value), ...second.byLabel(label, value)],
  };
}
