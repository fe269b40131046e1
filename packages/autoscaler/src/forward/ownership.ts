import type { RevisionKey } from "@rouse/shared";

/** Which revisions this process decides for. Of those it does not it remembers nothing. S-130, S-140, S-142. */
export interface Ownership {
  owns(revision: RevisionKey): boolean;
}

/** Where there is one autoscaler. */
export const ownsEverything: Ownership = { owns: () => true };
