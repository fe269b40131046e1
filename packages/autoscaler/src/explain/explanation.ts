import type { AppliedScale } from "../apply/pod-autoscaler-reconciler.ts";
import type { PanicMode } from "../decide/decider.ts";
import type { DeciderSpec } from "../decide/decider-spec.ts";
import type { PodCounts } from "../pods/pod-ledger.ts";
import type { Tick } from "./tick-log.ts";

/** Why a revision has the pods it has. */
export interface Explanation {
  readonly pods: PodCounts;
  readonly decider: {
    readonly spec: DeciderSpec;
    readonly mode: PanicMode;
    readonly desiredPods: number | undefined;
    readonly excessBurstCapacity: number;
  };
  /** Latest evaluations, oldest first, at most two minutes of them. */
  readonly ticks: readonly Tick[];
  /** What the last pass made of the decision; absent before the first. */
  readonly applied: AppliedScale | undefined;
}
