import {
  type Deployment,
  DeploymentKind,
  type KubeClient,
  type Lister,
  type ObjectKey,
  objectKey,
  type PodAutoscaler,
  type Stored,
} from "@rouse/shared";
import { OwnWrites } from "./own-writes.ts";

/** The Deployment a PodAutoscaler scales. */
export class ScaleTarget {
  readonly #client: Pick<KubeClient, "patch">;
  readonly #deployments: Pick<Lister<Deployment>, "get">;
  readonly #ownWrites = new OwnWrites<Stored<Deployment>>();

  constructor(client: Pick<KubeClient, "patch">, deployments: Pick<Lister<Deployment>, "get">) {
    this.#client = client;
    this.#deployments = deployments;
  }

  /** Replicas asked for now, unset being 1; `undefined` while there is no such Deployment. S-98. */
  replicas(autoscaler: Stored<PodAutoscaler>): number | undefined {
    const deployment = this.#latest(autoscaler);
    return deployment === undefined ? undefined : (deployment.spec.replicas ?? 1);
  }

  /** Asks for `replicas`; writes nothing if that is so already. S-98. */
  async scale(autoscaler: Stored<PodAutoscaler>, replicas: number): Promise<void> {
    const deployment = this.#latest(autoscaler);
    if (deployment === undefined || (deployment.spec.replicas ?? 1) === replicas) return;
    const { namespace, name } = deployment.metadata;
    const operations = [{ op: "add", path: "/spec/replicas", value: replicas }] as const;
    const { metadata } = await this.#client.patch(
      DeploymentKind,
      { namespace, name },
      { kind: "json", operations },
      "scale",
    );
    // The answer is a Scale in a cluster: of it only the version is used.
    this.#ownWrites.remember(objectKey(autoscaler.metadata), {
      ...deployment,
      metadata: { ...deployment.metadata, resourceVersion: metadata.resourceVersion },
      spec: { ...deployment.spec, replicas },
    });
  }

  /** To be called when the autoscaler of that key is gone. */
  forget(key: ObjectKey): void {
    this.#ownWrites.forget(key);
  }

  #latest({ metadata, spec }: Stored<PodAutoscaler>): Stored<Deployment> | undefined {
    const target = objectKey({ namespace: metadata.namespace, name: spec.scaleTargetRef.name });
    return this.#ownWrites.latest(objectKey(metadata), this.#deployments.get(target));
  }
}
