import { isKubeError, type KubeClient, type Logger, PodKind, type RevisionKey } from "@rouse/shared";
import type { MetricCollector } from "../collect/metric-collector.ts";
import { DELETION_COST, type PodLedger } from "../pods/pod-ledger.ts";

/** Requests in flight are averages: a pod with half a request on average is dearer than an idle one. */
const COST_PER_REQUEST = 100;
const COST_MAX = 2 ** 31 - 1;
/** More pods than this are left to chance: a write for each would delay the scale. */
const PODS_MAX = 100;

export interface DeletionCostsDeps {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly pods: Pick<PodLedger, "readyPods">;
  readonly collector: Pick<MetricCollector, "inFlight">;
}

/**
 * Says which pods of a revision are to go first: Kubernetes removes those of the lowest
 * `controller.kubernetes.io/pod-deletion-cost`, so each gets what it had in flight when last asked. A pod nobody has
 * asked keeps what it has. For clusters; the embedded home looks at its pods directly.
 */
export class DeletionCosts {
  readonly #deps: DeletionCostsDeps;

  constructor(deps: DeletionCostsDeps) {
    this.#deps = deps;
  }

  /** To be called before fewer pods are asked for. Never rejects: without it another pod goes, which is drained too. */
  async write(revision: RevisionKey): Promise<void> {
    const { pods, collector } = this.#deps;
    const ready = pods.readyPods(revision);
    if (ready.length > PODS_MAX) return;
    const writes = ready.flatMap(({ namespace, name, deletionCost }) => {
      const load = collector.inFlight(revision, name);
      if (load === undefined) return [];
      const cost = String(Math.min(Math.round(load * COST_PER_REQUEST), COST_MAX));
      return cost === (deletionCost ?? "0") ? [] : [this.#writeOne({ namespace, name }, cost)];
    });
    await Promise.all(writes);
  }

  async #writeOne(pod: { readonly namespace: string; readonly name: string }, cost: string): Promise<void> {
    const body = { metadata: { annotations: { [DELETION_COST]: cost } } };
    try {
      await this.#deps.client.patch(PodKind, pod, { kind: "merge", body });
    } catch (error) {
      if (isKubeError(error, "NotFound")) return;
      this.#deps.log.warn("deletion cost not written", { pod: pod.name, error: String(error) });
    }
  }
}
