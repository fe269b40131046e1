import type { ObjectKey, PodAutoscaler, Stored } from "@rouse/shared";
import type { RevisionSettings } from "../config/revision-settings.ts";
import type { ScaleBounds } from "./bounds.ts";

/** One pass's view of a revision, read once. */
export interface RevisionView {
  readonly key: ObjectKey;
  readonly autoscaler: Stored<PodAutoscaler>;
  readonly settings: RevisionSettings;
  readonly isReachable: boolean;
  /** With what is scheduled now. */
  readonly bounds: ScaleBounds;
  /** Until the schedule says something else, if it ever does. */
  readonly nextScheduleMs: number | undefined;
  readonly isInitialized: boolean;
  readonly readyPods: number;
}
