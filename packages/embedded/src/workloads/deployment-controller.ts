import { isDeepStrictEqual } from "node:util";
import {
  type Clock,
  type Deployment,
  DeploymentKind,
  done,
  findCondition,
  isKubeError,
  type KubeClient,
  type Lister,
  type MonoMs,
  type ObjectKey,
  objectKey,
  type Pass,
  type Pod,
  PodKind,
  type Random,
  type Reconciler,
  type Stored,
} from "@rouse/shared";
import { deploymentStatus } from "./deployment-status.ts";
import type { OwnedPods } from "./owned-pods.ts";
import { podFromTemplate, TEMPLATE_HASH_LABEL, templateHash } from "./pod-from-template.ts";
import { planRollout, type RolloutPod, rolloutTarget } from "./rollout.ts";

/** Pods created by one pass. Kubernetes works up to its 500 from 1; a home has 256 pods in all. */
const CREATES_PER_PASS_MAX = 256;

export interface DeploymentControllerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly deployments: Lister<Deployment>;
  readonly pods: OwnedPods;
  /** Requests a pod has now, to spare the busy ones on scale-down. */
  readonly inFlight: (pod: ObjectKey) => number;
  /** Told the moment a pod is asked for: the first stamp of a cold start. */
  readonly podCreated: (pod: ObjectKey, at: MonoMs) => void;
}

/** Keeps `spec.replicas` pods of the template alive: C-167 "Deployment", without ReplicaSets. */
export class DeploymentController implements Reconciler {
  readonly name = "deployment";
  readonly #deps: DeploymentControllerDeps;
  /** By template: a scale makes another generation of the same one, and a wake waits for its hash. */
  readonly #hashes = new WeakMap<Deployment["spec"]["template"], string>();

  constructor(deps: DeploymentControllerDeps) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const deployment = this.#deps.deployments.get(key);
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return done;
    const { uid } = deployment.metadata;
    const hash = this.#hash(deployment);
    const target = rolloutTarget(deployment.spec.strategy, deployment.spec.replicas ?? 1);
    const plan = planRollout(this.#rolloutPods(uid, hash), target);
    // Creations go out before anything is awaited: they are on the way of a waiting request.
    const creating = this.#create(deployment, hash, Math.min(plan.create, CREATES_PER_PASS_MAX));
    const deleting = plan.remove.map((name) => this.#delete(deployment, name));
    const createFailure = await creating;
    await Promise.all(deleting);
    const recheckAfterMs = await this.#writeStatus(deployment, hash, target.maxUnavailable, createFailure);
    if (createFailure !== undefined) throw new Error(createFailure); // tried again with growing waits
    return recheckAfterMs === undefined ? done : { kind: "again", afterMs: recheckAfterMs };
  }

  #rolloutPods(uid: string, hash: string): readonly RolloutPod[] {
    return this.#deps.pods.live(uid).map((pod) => ({
      name: pod.metadata.name,
      isCurrent: pod.metadata.labels?.[TEMPLATE_HASH_LABEL] === hash,
      isReady: isReady(pod),
      inFlight: this.#deps.inFlight(objectKey(pod.metadata)),
      createdAt: pod.metadata.creationTimestamp ?? "9", // not shown yet: the youngest there is
    }));
  }

  /** Returns why it failed, if any creation did. */
  async #create(deployment: Stored<Deployment>, hash: string, count: number): Promise<string | undefined> {
    const { client, clock, pods, random, podCreated } = this.#deps;
    const { uid } = deployment.metadata;
    const attempts = Array.from({ length: count }, async () => {
      const pod = podFromTemplate(deployment, hash, random);
      pods.creating(uid, pod);
      podCreated(objectKey(pod.metadata), clock.now());
      try {
        await client.create(PodKind, pod);
        return undefined;
      } catch (error) {
        pods.createFailed(uid, pod);
        return error instanceof Error ? error.message : String(error);
      }
    });
    return (await Promise.all(attempts)).find((failure) => failure !== undefined);
  }

  async #delete(deployment: Stored<Deployment>, name: string): Promise<void> {
    const { client, pods } = this.#deps;
    const { namespace, uid } = deployment.metadata;
    const key = objectKey({ namespace, name });
    pods.deleting(uid, key);
    try {
      await client.delete(PodKind, { namespace, name });
    } catch (error) {
      pods.deleteFailed(uid, key);
      if (!isKubeError(error, "NotFound")) throw error;
    }
  }

  async #writeStatus(
    deployment: Stored<Deployment>,
    hash: string,
    maxUnavailable: number,
    createFailure: string | undefined,
  ): Promise<number | undefined> {
    const { client, clock, pods } = this.#deps;
    const live = pods.live(deployment.metadata.uid);
    const { status, recheckAfterMs } = deploymentStatus({
      deployment,
      counts: {
        replicas: live.length,
        updated: live.filter((pod) => pod.metadata.labels?.[TEMPLATE_HASH_LABEL] === hash).length,
        ready: live.filter(isReady).length,
      },
      maxUnavailable,
      createFailure,
      at: clock.wall(),
    });
    if (isDeepStrictEqual(status, deployment.status)) return recheckAfterMs;
    const { namespace, name, resourceVersion } = deployment.metadata;
    try {
      await client.updateStatus(DeploymentKind, {
        apiVersion: deployment.apiVersion,
        kind: deployment.kind,
        metadata: { namespace, name, resourceVersion },
        spec: deployment.spec,
        status,
      });
    } catch (error) {
      // A newer version or the deletion is on its way here and brings the next pass.
      if (!isKubeError(error, "Conflict") && !isKubeError(error, "NotFound")) throw error;
    }
    return recheckAfterMs;
  }

  #hash(deployment: Stored<Deployment>): string {
    const { template } = deployment.spec;
    const known = this.#hashes.get(template);
    if (known !== undefined) return known;
    const hash = templateHash(deployment);
    this.#hashes.set(template, hash);
    return hash;
  }
}

function isReady(pod: Pick<Pod, "status">): boolean {
  return findCondition(pod.status?.conditions, "Ready")?.status === "True";
}
