export { Controller, type ControllerDeps, type ControllerOptions } from "./wiring.ts";
