import type { ConditionSet } from "@rouse/shared";

/** `Ready` of a PodAutoscaler follows these. S-20. */
export const podAutoscalerConditions = ["Active", "ScaleTargetInitialized", "SKSReady"] as const;

/** Counts a PodAutoscaler's status is made from. */
export interface ScaleState {
  /** Pods wanted, bounds included; `undefined` when nothing is known. */
  readonly want: number | undefined;
  readonly readyPods: number;
  readonly minReadyPods: number;
  /** Name of the public Service; "" while there is none. */
  readonly serviceName: string;
}

const messages = {
  Queued: "Requests to the target are being buffered as resources are provisioned.",
  NoTraffic: "The target is not receiving traffic.",
  TimedOut: "The target could not be activated.",
} as const;

/** Once enough pods have been ready the target counts as initialised for ever. S-111. */
export function markInitialized(conditions: ConditionSet, state: ScaleState): void {
  if (state.readyPods >= state.minReadyPods && state.serviceName !== "") {
    conditions.set("ScaleTargetInitialized", { status: "True" });
  }
}

/**
 * Sets `Active`; the first row that matches counts. S-112, S-113.
 *
 * | want | ready pods | was | becomes |
 * |---|---|---|---|
 * | 0, or none have to be ready | | activating, some had to be ready | False `TimedOut` |
 * | 0, or none have to be ready | | otherwise | False `NoTraffic`, or still `TimedOut` |
 * | > 0 | too few | | Unknown `Queued` |
 * | unknown | too few | active or activating | Unknown `Queued` |
 * | > 0 | enough | | True |
 * | unknown | enough | active or activating | True |
 * | unknown | | inactive | unchanged |
 *
 * `TimedOut` stays until there is traffic; in the reference the very next pass turns it into `NoTraffic`, so that
 * nobody can read it.
 */
export function markActive(conditions: ConditionSet, state: ScaleState): void {
  const { status, reason } = conditions.get("Active");
  if (state.want === 0 || state.minReadyPods === 0) {
    const isTimeout = status === "Unknown" && state.minReadyPods > 0;
    const isStillTimeout = status === "False" && reason === "TimedOut";
    setInactive(conditions, isTimeout || isStillTimeout ? "TimedOut" : "NoTraffic");
    return;
  }
  if (state.want === undefined && status === "False") {
    if (state.readyPods < state.minReadyPods)
      setInactive(conditions, reason === "TimedOut" ? reason : "NoTraffic");
    return;
  }
  if (state.readyPods < state.minReadyPods) {
    conditions.set("Active", { status: "Unknown", reason: "Queued", message: messages.Queued });
  } else {
    conditions.set("Active", { status: "True" });
  }
}

function setInactive(conditions: ConditionSet, reason: "NoTraffic" | "TimedOut"): void {
  conditions.set("Active", { status: "False", reason, message: messages[reason] });
}
