import { annotations, parseRfc3339, type Revision, type Stored, type WallMs } from "@rouse/shared";
import { keys, routingState } from "../metadata-keys.ts";
import type { Settings } from "../settings/settings.ts";

/**
 * Which revisions of one Configuration may go, oldest first. C-135…C-138.
 * @param revisions all of the Configuration
 */
export function staleRevisions(
  revisions: readonly Stored<Revision>[],
  options: { readonly latestReady: string | undefined; readonly gc: Settings["gc"]; readonly now: WallMs },
): readonly Stored<Revision>[] {
  const { gc, now } = options;
  const { retainSinceCreateMs, retainSinceActiveMs, nonActiveMin, nonActiveMax } = gc;
  const isAgeLimited = retainSinceCreateMs !== undefined || retainSinceActiveMs !== undefined;
  if (!isAgeLimited && nonActiveMax === undefined) return [];
  if (revisions.length <= nonActiveMin) return [];
  const idle = revisions.filter(
    (revision) => revision.metadata.name !== options.latestReady && isCollectable(revision),
  );
  if (idle.length <= nonActiveMin) return [];
  const oldestFirst = idle.toSorted((a, b) => lastActive(a) - lastActive(b));
  const isStale = (revision: Stored<Revision>): boolean =>
    isAgeLimited &&
    (retainSinceCreateMs === undefined || now - created(revision) >= retainSinceCreateMs) &&
    (retainSinceActiveMs === undefined || now - lastActive(revision) >= retainSinceActiveMs);
  const stale = new Set(oldestFirst.filter(isStale).slice(0, idle.length - nonActiveMin));
  const rest = oldestFirst.filter((revision) => !stale.has(revision));
  const excess = nonActiveMax === undefined ? [] : rest.slice(0, Math.max(0, rest.length - nonActiveMax));
  return oldestFirst.filter((revision) => stale.has(revision) || excess.includes(revision));
}

/** C-136. */
function isCollectable(revision: Stored<Revision>): boolean {
  const isKept = revision.metadata.annotations?.[keys.noGc]?.toLowerCase() === "true";
  return !isKept && routingState(revision) === "reserve";
}

/** C-137. */
function lastActive(revision: Stored<Revision>): number {
  const text = revision.metadata.annotations?.[annotations.routingStateModified] ?? "";
  return parseRfc3339(text) ?? created(revision);
}

function created(revision: Stored<Revision>): number {
  return parseRfc3339(revision.metadata.creationTimestamp) ?? 0;
}
