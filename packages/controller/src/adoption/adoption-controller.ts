import {
  type Deployment,
  DeploymentKind,
  done,
  Informer,
  isKubeError,
  type KubeClient,
  labels,
  type ObjectKey,
  objectKey,
  objectRef,
  type Pass,
  type PodAutoscaler,
  PodAutoscalerKind,
  ReconcileLoop,
  type Reconciler,
  type Stored,
} from "@rouse/shared";
import {
  type ClusterController,
  type ClusterControllerDeps,
  reportFailure,
} from "../cluster/cluster-controller.ts";
import { Leadership } from "../cluster/leadership.ts";
import { adoptionPatch, autoscalerPatch, isAdopted, isAdopting, releasePatch } from "./adopt.ts";

/** A PodAutoscaler that cannot be looked at yet: its Deployment is not there. Nothing tells when it will be. */
const MISSING_MS = 5_000;

export interface AdoptionDeps extends ClusterControllerDeps {
  /** Every PodAutoscaler; started by its owner. */
  readonly autoscalers: Informer<PodAutoscaler>;
}

/**
 * Where Knative is not installed: makes a Deployment that a hand-made PodAutoscaler names one that scales from zero,
 * and gives it back when the PodAutoscaler goes. Watches the Deployments it has taken, and reads others once.
 */
export class AdoptionController implements ClusterController {
  readonly lease = "rouse-controller.adoption";
  readonly #deps: AdoptionDeps;
  readonly #leadership = new Leadership();
  readonly #deployments: Informer<Deployment>;
  readonly #loop: ReconcileLoop;

  constructor(deps: AdoptionDeps) {
    this.#deps = deps;
    this.#deployments = new Informer<Deployment>(deps, DeploymentKind, { labelSelector: labels.revision })
      .indexBy(labels.revision)
      .handle({
        changed: ({ metadata }) => this.#addRevisionOf(metadata),
        removed: ({ metadata }) => this.#addRevisionOf(metadata),
      });
    this.#loop = new ReconcileLoop(
      { clock: deps.clock, onError: reportFailure(deps.log) },
      this.#leadership.guard(new AdoptionReconciler({ ...deps, deployments: this.#deployments })),
    );
    deps.autoscalers.handle({
      changed: ({ metadata }) => this.#loop.add(objectKey(metadata)),
      removed: ({ metadata }) => this.#loop.add(objectKey(metadata)),
    });
  }

  async start(): Promise<void> {
    await this.#deployments.start();
  }

  lead(): void {
    this.#leadership.isLeading = true;
    for (const { metadata } of this.#deps.autoscalers.list()) this.#loop.add(objectKey(metadata));
    for (const { metadata } of this.#deployments.list()) this.#addRevisionOf(metadata);
  }

  follow(): void {
    this.#leadership.isLeading = false;
  }

  [Symbol.dispose](): void {
    this.follow();
    this.#loop[Symbol.dispose]();
    this.#deployments[Symbol.dispose]();
  }

  #addRevisionOf({ namespace, labels: own }: Stored<Deployment>["metadata"]): void {
    const name = own?.[labels.revision];
    if (name !== undefined) this.#loop.add(objectKey({ namespace, name }));
  }
}

interface ReconcilerDeps {
  readonly client: KubeClient;
  readonly autoscalers: Informer<PodAutoscaler>;
  readonly deployments: Informer<Deployment>;
}

/** One PodAutoscaler by its key, and the Deployments that carry its name. */
class AdoptionReconciler implements Reconciler {
  readonly name = "adoption";
  readonly #deps: ReconcilerDeps;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const { autoscalers } = this.#deps;
    const autoscaler = autoscalers.get(key);
    const isOurs = autoscaler !== undefined && isAdopting(autoscaler);
    await this.#releaseOthers(key, isOurs ? autoscaler.spec.scaleTargetRef.name : undefined);
    if (!isOurs) return done;
    const deployment = await this.#target(autoscaler);
    await this.#patch(PodAutoscalerKind, autoscaler, autoscalerPatch(autoscaler, deployment));
    if (deployment === undefined) return { kind: "again", afterMs: MISSING_MS };
    await this.#patch(DeploymentKind, deployment, adoptionPatch(deployment, autoscaler));
    return done;
  }

  /** Those that carry the name and are not its target, or are nobody's target any more. */
  async #releaseOthers(key: ObjectKey, target: string | undefined): Promise<void> {
    const { namespace, name } = objectRef(key);
    for (const deployment of this.#deps.deployments.byLabel(labels.revision, name)) {
      const { metadata } = deployment;
      if (metadata.namespace !== namespace || metadata.name === target || !isAdopted(deployment)) continue;
      await this.#patch(DeploymentKind, deployment, releasePatch(deployment));
    }
  }

  async #target({ metadata, spec }: Stored<PodAutoscaler>): Promise<Stored<Deployment> | undefined> {
    const { namespace } = metadata;
    const { name } = spec.scaleTargetRef;
    const known = this.#deps.deployments.get(objectKey({ namespace, name }));
    if (known !== undefined) return known;
    try {
      return await this.#deps.client.get(DeploymentKind, { namespace, name });
    } catch (error) {
      if (isKubeError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  /** Only as long as the object is what was looked at. */
  async #patch(
    kind: typeof PodAutoscalerKind | typeof DeploymentKind,
    { metadata }: Stored<PodAutoscaler> | Stored<Deployment>,
    patch: { readonly metadata: object } | undefined,
  ): Promise<void> {
    if (patch === undefined) return;
    const { namespace, name, resourceVersion } = metadata;
    const body = { ...patch, metadata: { ...patch.metadata, resourceVersion } };
    await this.#deps.client.patch<PodAutoscaler | Deployment>(
      kind,
      { namespace, name },
      { kind: "merge", body },
    );
  }
}
