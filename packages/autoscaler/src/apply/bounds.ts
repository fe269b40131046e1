import type { RevisionSettings } from "../config/revision-settings.ts";
import type { Activity } from "./activity.ts";

/** Bounds of a revision's scale. */
export interface ScaleBounds {
  readonly min: number;
  /** 0 = no bound. */
  readonly max: number;
}

export interface BoundedScale {
  /** `undefined`: nothing is known yet, so nothing is changed. */
  readonly pods: number | undefined;
  readonly cut: "none" | "min-scale" | "max-scale" | "initial-scale";
}

/** A revision nobody can reach keeps no pods for its minimum. S-94, V-43. */
export function scaleBounds(
  settings: Pick<RevisionSettings, "minScale" | "maxScale">,
  isReachable: boolean,
): ScaleBounds {
  return { min: isReachable ? settings.minScale : 0, max: settings.maxScale };
}

/** What the decider wants, within the bounds. While activating the unknown becomes the minimum. S-93, S-95, S-96. */
export function boundedScale(situation: {
  readonly desiredPods: number | undefined;
  readonly activity: Activity["kind"];
  readonly bounds: ScaleBounds;
  readonly initialScale: number;
  readonly isInitialized: boolean;
  readonly isReachable: boolean;
}): BoundedScale {
  const { desiredPods, bounds, initialScale } = situation;
  if (desiredPods === undefined && situation.activity !== "activating")
    return { pods: undefined, cut: "none" };
  const isInitial = initialScale > 1 && !situation.isInitialized && situation.isReachable;
  const min = isInitial ? Math.max(bounds.min, initialScale) : bounds.min;
  if (desiredPods === undefined || desiredPods < min) {
    return { pods: min, cut: min > bounds.min ? "initial-scale" : "min-scale" };
  }
  if (bounds.max > 0 && desiredPods > bounds.max) return { pods: bounds.max, cut: "max-scale" };
  return { pods: desiredPods, cut: "none" };
}

/** Pods that must be ready before the revision counts as active. S-110. */
export function minReadyPods(
  bounds: ScaleBounds,
  { initialScale, isInitialized }: { readonly initialScale: number; readonly isInitialized: boolean },
): number {
  return Math.max(bounds.min, isInitialized ? 1 : initialScale);
}
