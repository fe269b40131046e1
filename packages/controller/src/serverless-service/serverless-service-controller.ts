import {
  ACTIVATOR_SERVICE,
  type Deployment,
  DeploymentKind,
  type Endpoints,
  type EndpointsFollower,
  EndpointsKind,
  type EndpointsSource,
  EventRecorder,
  followEndpoints,
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
  type Stored,
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
  readonly #public: Informer<Endpoints>;
  readonly #private: EndpointsFollower;
  readonly #activators: EndpointsFollower;
  readonly #loop: ReconcileLoop;
  #resync: Disposable | undefined;

  constructor(deps: ClusterControllerDeps, source: EndpointsSource = { kind: "endpoints" }) {
    this.#deps = deps;
    const owned = { labelSelector: labels.serverlessService };
    const activators = objectKey({ namespace: SYSTEM_NAMESPACE, name: ACTIVATOR_SERVICE });
    this.#serverlessServices = new Informer(deps, ServerlessServiceKind);
    this.#deployments = new Informer(deps, DeploymentKind, { labelSelector: labels.revision });
    this.#services = new Informer(deps, ServiceKind, owned);
    const typed = (type: "Public" | "Private"): string =>
      `${labels.serviceType}=${type},${labels.serverlessService}`;
    this.#public = new Informer(deps, EndpointsKind, { labelSelector: typed("Public") });
    this.#private = followEndpoints(deps, source, { labelSelector: typed("Private") });
    this.#activators = followEndpoints(deps, source, {
      namespace: SYSTEM_NAMESPACE,
      name: ACTIVATOR_SERVICE,
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
          endpoints: firstOf(this.#public, this.#private, this.#activators),
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
      this.#public,
      this.#private,
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
    for (const cache of [this.#serverlessServices, this.#services, this.#deployments])
      cache[Symbol.dispose]();
    for (const cache of [this.#public, this.#private, this.#activators]) cache[Symbol.dispose]();
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
    const ofEndpoints = told(({ metadata }: Stored<Endpoints>) =>
      add(metadata.namespace, metadata.labels?.[labels.serverlessService]),
    );
    this.#public.handle(ofEndpoints);
    this.#private.handle(ofEndpoints);
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

/** What any of several caches has; their objects never overlap. */
function firstOf(...caches: readonly Lister<Endpoints>[]): Lister<Endpoints> {
  return {
    get: (key: ObjectKey) => {
      for (const cache of caches) {
        const found = cache.get(key);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    *list() {
      for (const cache of caches) yield* cache.list();
    },
    byLabel: (label, value) => caches.flatMap((cache) => cache.byLabel(label, value)),
  };
}
