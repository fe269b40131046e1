export { Activator, type ActivatorDeps, type ActivatorOptions, type RevisionSnapshot } from "./wiring.ts";
