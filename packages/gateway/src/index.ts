export { Gateway, type GatewayDeps, type GatewayOptions, type TlsOptions } from "./wiring.ts";
