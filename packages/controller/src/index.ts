export { configMapProblem } from "./settings/config-map-problem.ts";
export { Controller, type ControllerDeps, type ControllerOptions } from "./wiring.ts";
