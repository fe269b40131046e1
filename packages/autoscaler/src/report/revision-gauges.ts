import { labels, type PodAutoscaler, type Stored } from "@rouse/shared";
import type { Evaluation } from "../decide/decider.ts";
import type { DeciderSpec } from "../decide/decider-spec.ts";
import type { PodCounts } from "../pods/pod-ledger.ts";
import type { Sample } from "./exposition.ts";

/** What is known of one revision when it is asked for. */
export interface RevisionState {
  readonly autoscaler: Stored<PodAutoscaler>;
  readonly spec: DeciderSpec;
  /** The last valid one. */
  readonly evaluation: Evaluation | undefined;
  readonly pods: PodCounts;
  /** Pods asked for; the last value while nothing is known. */
  readonly requested: number | undefined;
}

/** S-125..S-127. */
export function revisionGauges({
  autoscaler,
  spec,
  evaluation,
  pods,
  requested,
}: RevisionState): readonly Sample[] {
  const { namespace, name, labels: own = {} } = autoscaler.metadata;
  const attributes = {
    "k8s.namespace.name": namespace,
    "kn.service.name": own[labels.service] ?? "",
    "kn.configuration.name": own[labels.configuration] ?? "",
    "kn.revision.name": name,
  };
  const values: Readonly<Record<string, number | undefined>> = {
    "kn.revision.pods.desired": evaluation?.desiredPods,
    "kn.revision.capacity.excess": evaluation?.excessBurstCapacity,
    "kn.revision.panic.mode": evaluation === undefined ? undefined : evaluation.mode === "panicking" ? 1 : 0,
    [`kn.revision.${spec.metric}.stable`]: evaluation?.stable,
    [`kn.revision.${spec.metric}.panic`]: evaluation?.panic,
    [`kn.revision.${spec.metric}.target`]: evaluation === undefined ? undefined : spec.targetValue,
    "kn.revision.pods.requested": requested,
    "kn.revision.pods.count": pods.ready,
    "kn.revision.pods.not_ready.count": pods.notReady,
    "kn.revision.pods.pending.count": pods.pending,
    "kn.revision.pods.terminating.count": pods.terminating,
  };
  return Object.entries(values).flatMap(([metric, value]) =>
    value === undefined ? [] : [{ name: metric, attributes, value }],
  );
}
