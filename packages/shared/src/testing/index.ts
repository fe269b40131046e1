export { VirtualClock } from "../clock/virtual-clock.ts";
export { ExchangeBase } from "../http/exchange-base.ts";
export { type Disagreement, type FuzzOptions, type FuzzReport, fuzzHttp } from "../http/fuzz/fuzz-http.ts";
export { type Benchmark, benchmark } from "./benchmark.ts";
export { CERTIFICATE_A, CERTIFICATE_B } from "./certificates.ts";
export {
  ACTIVATOR_ALLOCATOR,
  SIDECAR_ALLOCATOR,
  SIDECAR_ENVIRONMENT,
  SIDECAR_FLAGS,
} from "./image-settings.ts";
export {
  type RecordedForward,
  RecordingExchange,
  type RecordingRequest,
} from "./recording-exchange.ts";
export { type FormulaSettings, type FormulaTick, ScaleFormula } from "./scale-formula.ts";
