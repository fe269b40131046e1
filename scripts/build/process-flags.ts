import { SIDECAR_FLAGS } from "@rouse/shared/testing";

/** By program: what its image starts Node with. */
export const PROCESS_FLAGS: Readonly<Record<string, readonly string[]>> = { "queue-proxy": SIDECAR_FLAGS };
