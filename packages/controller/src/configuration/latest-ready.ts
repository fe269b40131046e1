import { type Configuration, objectKey, type Revision, type Stored } from "@rouse/shared";
import { isReady } from "../pass/readiness.ts";
import { generationOf } from "./make-revision.ts";

/**
 * The revision that becomes latest ready, or `undefined` to leave it as it is. Never an older one than now while the
 * present one exists; the template's own name goes first, then the newest. C-35, C-36.
 * @param revisions those labelled with the Configuration
 */
export function latestReady(
  configuration: Stored<Configuration>,
  created: Stored<Revision>,
  revisions: readonly Stored<Revision>[],
): Stored<Revision> | undefined {
  const { namespace, generation } = configuration.metadata;
  const ownName = configuration.spec.template.metadata?.name ?? "";
  const currentName = configuration.status?.latestReadyRevisionName;
  const current = revisions.find(
    ({ metadata }) => objectKey(metadata) === objectKey({ namespace, name: currentName ?? "" }),
  );
  const isCandidate = (revision: Stored<Revision>): boolean => {
    if (current === undefined) return true;
    const number = generationOf(revision);
    if (ownName !== "" && number === generationOf(created)) return true;
    return number >= generationOf(current) && number <= generation;
  };
  const rank = (revision: Stored<Revision>): number =>
    ownName !== "" && revision.metadata.name === ownName ? Number.POSITIVE_INFINITY : generationOf(revision);
  return revisions
    .filter(isCandidate)
    .toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)))
    .find((revision) => isReady(revision));
}
