export { type Authority, issueCertificate, makeAuthority } from "./tls/make-certificate.ts";
export { Gateway, type GatewayDeps, type GatewayOptions, type TlsOptions } from "./wiring.ts";
