export {
  contextFields,
  endClientSpan,
  endServerSpan,
  pathOf,
  type ServerSpan,
  spanMethod,
  startServerSpan,
} from "./request-spans.ts";
export { type ProgramTracing, startTelemetry } from "./telemetry.ts";
