import {
  type Clock,
  type Deployment,
  DeploymentKind,
  type Endpoints,
  EndpointsKind,
  Informer,
  type KubeClient,
  type Logger,
  labels,
  type MonoMs,
  type ObjectKey,
  objectKey,
  type Pod,
  PodKind,
  type Random,
  ReconcileLoop,
  type Service,
  ServiceKind,
  type Stored,
} from "@rouse/shared";
import { DeploymentController } from "./deployment-controller.ts";
import { EndpointsController } from "./endpoints-controller.ts";
import { OwnedPods } from "./owned-pods.ts";
import { SelectorIndex } from "./selector-index.ts";

export interface WorkloadsDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Requests a pod has now; on scale-down the least busy go first. Absent: every pod counts as idle. */
  readonly inFlight?: (pod: ObjectKey) => number;
  /** Told when a pod is about to be created. */
  readonly podCreated?: (pod: ObjectKey, at: MonoMs) => void;
}

/** The part of a cluster's controller manager that Serving relies on: Deployments and Endpoints. */
export class Workloads implements AsyncDisposable {
  readonly #deps: WorkloadsDeps;
  readonly #ownedPods = new OwnedPods();
  readonly #selectors = new SelectorIndex();
  /** By uid, the Deployment whose pods they are. */
  readonly #deploymentKeys = new Map<string, ObjectKey>();
  readonly #pods: Informer<Pod>;
  readonly #deployments: Informer<Deployment>;
  readonly #services: Informer<Service>;
  readonly #endpoints: Informer<Endpoints>;
  readonly #deploymentLoop: ReconcileLoop;
  readonly #endpointsController: EndpointsController;
  readonly #endpointsLoop: ReconcileLoop;

  private constructor(deps: WorkloadsDeps) {
    this.#deps = deps;
    this.#pods = new Informer<Pod>(deps, PodKind).indexBy(labels.revisionUid);
    this.#deployments = new Informer<Deployment>(deps, DeploymentKind);
    this.#services = new Informer<Service>(deps, ServiceKind);
    this.#endpoints = new Informer<Endpoints>(deps, EndpointsKind);
    const deploymentController = new DeploymentController({
      ...deps,
      inFlight: deps.inFlight ?? (() => 0),
      podCreated: deps.podCreated ?? (() => {}),
      deployments: this.#deployments,
      pods: this.#ownedPods,
    });
    this.#endpointsController = new EndpointsController({
      client: deps.client,
      services: this.#services,
      endpoints: this.#endpoints,
      pods: this.#pods,
    });
    const loopDeps = {
      clock: deps.clock,
      onError: (reconciler: string, key: ObjectKey, error: unknown) =>
        deps.log.warn("pass failed", { reconciler, key, error: String(error) }),
    };
    this.#deploymentLoop = new ReconcileLoop(loopDeps, deploymentController);
    this.#endpointsLoop = new ReconcileLoop(loopDeps, this.#endpointsController);
  }

  /** Resolves once every cache is filled; from then on changes are followed. */
  static async start(deps: WorkloadsDeps): Promise<Workloads> {
    const workloads = new Workloads(deps);
    workloads.#follow();
    // Pods and Services first: a Deployment seen before its pods would create them again.
    await workloads.#pods.start();
    await workloads.#services.start();
    await workloads.#endpoints.start();
    await workloads.#deployments.start();
    return workloads;
  }

  async close(): Promise<void> {
    this.#deploymentLoop[Symbol.dispose]();
    this.#endpointsLoop[Symbol.dispose]();
    for (const informer of [this.#deployments, this.#endpoints, this.#services, this.#pods]) {
      informer[Symbol.dispose]();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #follow(): void {
    this.#pods.handle({
      changed: (pod, before) => {
        this.#wakeOwner(this.#ownedPods.show(pod));
        if (before !== undefined) this.#wakeSelecting(before);
        this.#wakeSelecting(pod);
      },
      removed: (pod) => {
        this.#wakeOwner(this.#ownedPods.hide(pod));
        this.#wakeSelecting(pod);
      },
    });
    this.#deployments.handle({
      changed: (deployment) => {
        const key = objectKey(deployment.metadata);
        this.#deploymentKeys.set(deployment.metadata.uid, key);
        this.#deploymentLoop.add(key);
      },
      removed: (deployment) => {
        this.#deploymentKeys.delete(deployment.metadata.uid);
      },
    });
    this.#services.handle({
      changed: (service, before) => {
        if (before !== undefined) this.#selectors.remove(before);
        this.#selectors.add(service);
        this.#endpointsLoop.add(objectKey(service.metadata));
      },
      removed: (service) => {
        this.#selectors.remove(service);
        this.#cleanUp(this.#endpointsController.removed(service));
      },
    });
    // Someone else's change to what is ours is put right; our own change finds nothing to do.
    const endpointsSeen = (endpoints: Stored<Endpoints>): void =>
      this.#endpointsLoop.add(objectKey(endpoints.metadata));
    this.#endpoints.handle({ changed: endpointsSeen, removed: endpointsSeen });
  }

  #wakeOwner(uid: string | undefined): void {
    const key = uid === undefined ? undefined : this.#deploymentKeys.get(uid);
    if (key !== undefined) this.#deploymentLoop.add(key);
  }

  #wakeSelecting(pod: Stored<Pod>): void {
    const found = this.#selectors.matching(pod.metadata.namespace, pod.metadata.labels ?? {});
    for (const key of found) this.#endpointsLoop.add(key);
  }

  #cleanUp(work: Promise<void>): void {
    work.catch((error: unknown) =>
      this.#deps.log.warn("endpoints of a removed service not removed", { error: String(error) }),
    );
  }
}
