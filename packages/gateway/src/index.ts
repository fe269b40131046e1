export { Gateway, type GatewayDeps, type GatewayOptions } from "./wiring.ts";
