import type { Policy } from "./policy.ts";

/** The first with a free slot. Clumps on purpose, so that pods at the end of the list can be scaled away. A-80. */
export const firstAvailable: Policy = { pick: (pods) => pods.freeFrom(0) };
