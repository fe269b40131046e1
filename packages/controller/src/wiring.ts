import {
  ACTIVATOR_SERVICE,
  type Clock,
  EventRecorder,
  type KubeClient,
  type Logger,
  type ObjectKey,
  objectKey,
  type Pass,
  type Random,
  ReconcileLoop,
  type Reconciler,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import { makeCaches, startCaches } from "./caches.ts";
import { ConfigurationReconciler } from "./configuration/configuration-reconciler.ts";
import { DomainMappingReconciler } from "./domain-mapping/domain-mapping-reconciler.ts";
import { RevisionCollector } from "./gc/revision-collector.ts";
import { Labeler } from "./labeler/labeler.ts";
import { isExpected } from "./pass/status-pass.ts";
import { RevisionReconciler } from "./revision/revision-reconciler.ts";
import { RouteReconciler } from "./route/route-reconciler.ts";
import { ServerlessServiceReconciler } from "./serverless-service/serverless-service-reconciler.ts";
import { ServiceReconciler } from "./service/service-reconciler.ts";
import { LiveSettings } from "./settings/live-settings.ts";
import { type Loops, resync, type Watched, watchAll } from "./watches.ts";

export interface ControllerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface ControllerOptions {
  /** Domain of routes that no entry of config-domain selects. Absent: such routes are cluster-local (C-157). */
  readonly domainSuffix?: string;
  /** Port of the public entry point; put into URLs unless it is 80. */
  readonly externalPort?: number;
  /** Default `cluster.local`. */
  readonly clusterDomain?: string;
  /**
   * Whether placeholder Services lead to the ingress, for callers that go by cluster DNS (C-80). Default false: without
   * such a DNS they hold names and nothing else (C-82).
   */
  readonly shapesPlaceholders?: boolean;
}

/** Everything is looked at again this often, should an event ever have been missed. C-11. */
const RESYNC_MS = 36_000_000;

/**
 * The control plane: Service → Configuration and Route → Revision → Deployment and PodAutoscaler, KIngress, and the
 * ServerlessService. Level-triggered throughout: what happens depends on the objects alone, never on their history.
 */
export class Controller {
  readonly #deps: ControllerDeps;
  readonly #watched: Watched;
  readonly #passes: Passes;
  #resyncTimer: Disposable | undefined;

  private constructor(deps: ControllerDeps, watched: Watched, passes: Passes) {
    this.#deps = deps;
    this.#watched = watched;
    this.#passes = passes;
  }

  /** Resolves once every cache is filled; from then on passes run. */
  static async start(deps: ControllerDeps, options: ControllerOptions = {}): Promise<Controller> {
    const activators = objectKey({ namespace: SYSTEM_NAMESPACE, name: ACTIVATOR_SERVICE });
    const caches = makeCaches(deps);
    const settings = new LiveSettings(deps);
    const events = new EventRecorder(deps);
    const passes = new Passes();
    const onError = (reconciler: string, key: ObjectKey, error: unknown): void => {
      const fields = { reconciler, key, error: error instanceof Error ? error.message : String(error) };
      if (isExpected(error)) deps.log.debug("pass is to be repeated", fields);
      else deps.log.warn("pass failed, to be repeated", fields);
    };
    const loopOf = (reconciler: Reconciler): ReconcileLoop =>
      new ReconcileLoop({ clock: deps.clock, onError }, passes.guard(reconciler));
    const shared = { ...deps, ...caches, settings, events };
    const { clusterDomain = "cluster.local", externalPort } = options;
    const loops: Loops = {
      service: loopOf(new ServiceReconciler(shared)),
      configuration: loopOf(new ConfigurationReconciler(shared)),
      revision: loopOf(new RevisionReconciler(shared)),
      route: loopOf(
        new RouteReconciler(shared, {
          clusterDomain,
          domainSuffix: options.domainSuffix,
          externalPort,
          shapesPlaceholders: options.shapesPlaceholders ?? false,
        }),
      ),
      domainMapping: loopOf(new DomainMappingReconciler(shared, { clusterDomain, externalPort })),
      labeler: loopOf(new Labeler(shared)),
      collector: loopOf(new RevisionCollector(shared)),
      serverlessService: loopOf(new ServerlessServiceReconciler({ ...shared, activators })),
    };
    const watched: Watched = { caches, settings, loops, activators };
    watchAll(watched);
    const controller = new Controller(deps, watched, passes);
    await settings.start();
    await startCaches(caches);
    passes.open(); // before that, a pass would take what a cache does not show yet for absent
    controller.#planResync();
    return controller;
  }

  /** Ends watches and passes; resolves once no pass is running any more. */
  async close(): Promise<void> {
    const { caches, settings, loops } = this.#watched;
    this.#resyncTimer?.[Symbol.dispose]();
    for (const loop of Object.values(loops)) loop[Symbol.dispose]();
    for (const cache of Object.values(caches)) cache[Symbol.dispose]();
    settings[Symbol.dispose]();
    await this.#passes.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #planResync(): void {
    this.#resyncTimer = this.#deps.clock.after(RESYNC_MS, () => {
      resync(this.#watched);
      this.#planResync();
    });
  }
}

/** Holds passes back until the caches are filled, and knows which are running. */
class Passes {
  readonly #running = new Set<Promise<Pass>>();
  readonly #opened: Promise<void>;
  #open: () => void = () => {};

  constructor() {
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }

  guard(reconciler: Reconciler): Reconciler {
    return {
      name: reconciler.name,
      reconcile: async (key) => {
        await this.#opened;
        const pass = reconciler.reconcile(key);
        this.#running.add(pass);
        try {
          return await pass;
        } finally {
          this.#running.delete(pass);
        }
      },
    };
  }

  async ended(): Promise<void> {
    await Promise.allSettled(this.#running);
  }
}
