import type { EventNote } from "@rouse/shared";
import type { AppliedScale } from "../apply/pod-autoscaler-reconciler.ts";
import type { Decider } from "../decide/decider.ts";
import { appliedInWords, evaluationInWords } from "./in-words.ts";
import type { Tick } from "./tick-log.ts";

/** What an Event says about a change of scale or mode: the pass in words, and the evaluation behind it. */
export function scaleNote(
  applied: AppliedScale,
  decided: { readonly decider: Decider; readonly ticks: readonly Tick[] } | undefined,
): EventNote {
  const tick = decided?.ticks.at(-1);
  const evaluation =
    decided !== undefined && tick?.kind === "decided"
      ? ` (${evaluationInWords(tick.evaluation, decided.decider.spec)})`
      : "";
  const spare = decided?.decider.excessBurstCapacity ?? 0;
  return {
    type: "Normal",
    reason: "ScaleChanged",
    message: `${appliedInWords(applied, spare)}${evaluation}`,
  };
}
