export {
  appliedInWords,
  type Explanation,
  evaluationInWords,
  parseAutoscalerConfig,
  whyNotZero,
} from "@rouse/autoscaler";
export {
  assertSocketFree,
  HttpFace,
  type HttpFaceDeps,
  type HttpFaceOptions,
  type Page,
  SocketInUseError,
} from "./api-server/http-face.ts";
export { ApiHandler } from "./api-server/wire/api-handler.ts";
export { type LoadOptions, loadManifests } from "./manifest/load-manifests.ts";
export {
  type ManifestError,
  type ManifestObject,
  type Manifests,
  manifestErrorText,
} from "./manifest/manifest.ts";
export {
  type SimulationOptions,
  type SimulationResult,
  type Step,
  simulateTrace,
} from "./simulate/simulation.ts";
export { parseTrace, type Trace, TraceError } from "./simulate/trace.ts";
export { type Home, type HomeDeps, type HomeOptions, startHome } from "./wiring.ts";
