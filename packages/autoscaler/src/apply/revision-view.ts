import type { ObjectKey, PodAutoscaler, Stored } from "@rouse/shared";
import type { RevisionSettings } from "../config/revision-settings.ts";
import type { ScaleBounds } from "./bounds.ts";

/** One pass's view of a revision, read once. */
export interface RevisionView {
  readonly key: ObjectKey;
  readonly autoscaler: Stored<PodAutoscaler>;
  readonly settings: RevisionSettings;
  readonly isReachable: boolean;
  readonly bounds: ScaleBounds;
  readonly isInitialized: boolean;
  readonly readyPods: number;
}
