export { PodSet, type PodSetOptions } from "./balance/pod-set.ts";
export { type ClosableUpstream, PodTracker } from "./balance/pod-tracker.ts";
export type { ActivatorDeps, ActivatorOptions } from "./options.ts";
export { ConcurrencyReport } from "./report/concurrency-report.ts";
export type { RevisionSnapshot } from "./snapshot.ts";
export { RevisionThrottle } from "./throttle/revision-throttle.ts";
export { Activator } from "./wiring.ts";
