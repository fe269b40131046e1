export { PodSet, type PodSetOptions } from "./balance/pod-set.ts";
export { type ClosableUpstream, PodTracker } from "./balance/pod-tracker.ts";
export { ConcurrencyReport } from "./report/concurrency-report.ts";
export { RevisionThrottle } from "./throttle/revision-throttle.ts";
export { Activator, type ActivatorDeps, type ActivatorOptions, type RevisionSnapshot } from "./wiring.ts";
