export { type ProgramTracing, startTelemetry } from "./telemetry.ts";
export { propagator, tracedMethods } from "./tracer.ts";
