export { QueueProxy, type QueueProxyDeps, type QueueProxyOptions } from "./wiring.ts";
