export type { QueueProxyDeps, QueueProxyOptions } from "./options.ts";
export { QueueProxy } from "./wiring.ts";
