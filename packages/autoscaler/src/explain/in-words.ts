import type { AppliedScale } from "../apply/pod-autoscaler-reconciler.ts";
import type { ZeroReason } from "../apply/scale-to-zero.ts";
import type { Cut, Evaluation } from "../decide/decider.ts";
import type { DeciderSpec } from "../decide/decider-spec.ts";

const cuts: Readonly<Record<Cut, string>> = {
  none: "",
  "scale-up-rate": "no more than max-scale-up-rate allows in one step",
  "scale-down-rate": "no fewer than max-scale-down-rate allows in one step",
  "activation-scale": "raised to activation-scale",
  "panic-hold": "in panic never fewer than before",
  "scale-down-delay": "held by scale-down-delay",
};

const bounds: Readonly<Record<AppliedScale["cut"], string>> = {
  none: "",
  "min-scale": "raised to the minimum",
  "max-scale": "cut to the maximum",
  "initial-scale": "raised to initial-scale until so many have been ready once",
};

const zeros: Readonly<Record<ZeroReason, string>> = {
  "scale-to-zero-disabled": "enable-scale-to-zero is false",
  activating: "it is being activated: its pods have until the progress deadline",
  "activation-timed-out": "none of its pods became ready before the progress deadline, so it is given up",
  "stable-window": "it has been active for less than one stable window",
  "going-inactive": "nothing is wanted any more: the activator is taking the path before the last pod goes",
  "at-zero": "nothing was asked of it within its window",
  "no-activator": "there is no activator that could wake it again",
  "activator-not-in-path": "nobody has confirmed yet that requests reach an activator",
  "pod-retention": "scale-to-zero-pod-retention-period keeps the last pod",
  "grace-period": "the network has scale-to-zero-grace-period to follow",
  idle: "it goes to zero now: idle, and an activator has the requests",
};

/** One evaluation as the formula it is: both windows, what they ask for, and what had the last word. S-79..S-88. */
export function evaluationInWords(evaluation: Evaluation, spec: DeciderSpec): string {
  const { stable, panic, podsByStable, podsByPanic, desiredPods, mode, cut } = evaluation;
  const target = number(spec.targetValue);
  const unit = spec.metric === "rps" ? "requests per second" : "requests at a time";
  const parts = [
    `${number(stable)} ${unit} over ${spec.stableWindowMs / 1_000} s / ${target} each: ${count(podsByStable)}`,
    `${number(panic)} over the panic window: ${count(podsByPanic)}`,
    ...(mode === "panicking" ? ["panicking, so the larger counts"] : []),
    ...(cut === "none" ? [] : [cuts[cut]]),
  ];
  return `${count(desiredPods)}: ${parts.join("; ")}`;
}

/** What the last pass made of it: the bound that cut it, why the last pod stays, who stands in the path. */
export function appliedInWords(applied: AppliedScale, excessBurstCapacity: number): string {
  const { want, cut, zero, bounds: scale, mode } = applied;
  const parts = [
    want === undefined ? "nothing is known yet, so nothing is changed" : `wants ${count(want)}`,
    ...(cut === "none"
      ? []
      : [`${bounds[cut]} (${scale.min} to ${scale.max === 0 ? "any number" : scale.max})`]),
    ...(zero === undefined ? [] : [zeros[zero]]),
    `${mode.mode} mode: ${modeInWords(applied, excessBurstCapacity)}`,
  ];
  return parts.join("; ");
}

/** Why there is a pod, or why there is none. */
export function whyNotZero(applied: AppliedScale | undefined): string {
  if (applied === undefined) return "no pass has been made yet";
  if (applied.zero !== undefined) return zeros[applied.zero];
  if (applied.want === undefined) return "nothing is known yet, so nothing is changed";
  if (applied.cut === "none" || applied.cut === "max-scale") return "the load asks for pods";
  return applied.desiredPods === 0 || applied.desiredPods === undefined
    ? `without load, but ${bounds[applied.cut]} (${applied.bounds.min})`
    : "the load asks for pods";
}

function modeInWords({ mode, want }: AppliedScale, excessBurstCapacity: number): string {
  if (mode.mode === "Serve")
    return `its pods could take ${excessBurstCapacity} requests more than the burst aimed for`;
  if (want === 0) return "no pods are wanted, so activators take what comes";
  if (excessBurstCapacity >= 0) return "until there is data";
  return `a burst would be ${-excessBurstCapacity} requests too many for its pods, so up to ${mode.activators} activators hold what does not fit`;
}

function count(pods: number): string {
  return pods === 1 ? "1 pod" : `${pods} pods`;
}

function number(value: number): string {
  return String(Math.round(value * 100) / 100);
}
