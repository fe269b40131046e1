export type { AppliedScale } from "./apply/pod-autoscaler-reconciler.ts";
export type { ZeroReason } from "./apply/scale-to-zero.ts";
export { Autoscaler } from "./autoscaler.ts";
export type { ScrapeSample } from "./collect/metric-collector.ts";
export {
  type AutoscalerConfig,
  defaultAutoscalerConfig,
  type ParsedConfig,
  parseAutoscalerConfig,
} from "./config/autoscaler-config.ts";
export { type RevisionSettings, revisionSettings, type ScalingMetric } from "./config/revision-settings.ts";
export { Decider, type Evaluation, type Observation, type PanicMode } from "./decide/decider.ts";
export { type DeciderSpec, deciderSpec } from "./decide/decider-spec.ts";
export type { Explanation } from "./explain/explanation.ts";
export { appliedInWords, evaluationInWords, whyNotZero } from "./explain/in-words.ts";
export type { Tick } from "./explain/tick-log.ts";
export type { Ownership } from "./forward/ownership.ts";
export { HpaEvaluator, type HpaEvaluatorDeps } from "./hpa/hpa-evaluator.ts";
export type { PodUsage, Usage } from "./hpa/pod-usage.ts";
export type { PodCounts } from "./pods/pod-ledger.ts";
export type { ActivatorProbe, ProbeTarget } from "./probe/activator-probe.ts";
export { HttpActivatorProbe, type HttpActivatorProbeDeps } from "./probe/http-activator-probe.ts";
export type { SnapshotStore } from "./resume/window-memory.ts";
export { validateSchedule } from "./schedule/validate-schedule.ts";
export type { PodScraper } from "./scrape/pod-scraper.ts";
export {
  type Instant,
  type PodsNow,
  ScaleModel,
  type ScaleModelOptions,
  type ScaleOutcome,
} from "./simulate/scale-model.ts";
export type { AutoscalerDeps, AutoscalerOptions } from "./wiring.ts";
