import type { RevisionKey, WallMs } from "@rouse/shared";
import type { CollectionMemory } from "../collect/collection.ts";
import type { DeciderMemory } from "../decide/decider.ts";

/** Changes with the format; another one's snapshot is not read. */
const VERSION = 1;

/** What the autoscaler knows of one revision that has had load lately. */
export interface RevisionMemory {
  readonly collection?: CollectionMemory;
  readonly decider?: DeciderMemory;
}

export interface Snapshot {
  readonly takenAt: WallMs;
  readonly revisions: ReadonlyMap<RevisionKey, RevisionMemory>;
}

export function snapshotText({ takenAt, revisions }: Snapshot): string {
  return JSON.stringify({ version: VERSION, takenAt, revisions: Object.fromEntries(revisions) });
}

/** `undefined` for what is no snapshot, or one of another version. Revisions that do not read well are left out. */
export function parseSnapshot(text: string): Snapshot | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const top = membersOf(value);
  const takenAt = top.get("takenAt");
  if (top.get("version") !== VERSION || !isNumber(takenAt)) return undefined;
  const revisions = new Map<RevisionKey, RevisionMemory>();
  for (const [key, held] of membersOf(top.get("revisions"))) {
    const members = membersOf(held);
    const collection = collectionMemory(members.get("collection"));
    const decider = deciderMemory(members.get("decider"));
    revisions.set(key as RevisionKey, {
      ...(collection === undefined ? {} : { collection }),
      ...(decider === undefined ? {} : { decider }),
    });
  }
  return { takenAt: takenAt as WallMs, revisions };
}

function collectionMemory(value: unknown): CollectionMemory | undefined {
  const members = membersOf(value);
  const silentSeconds = members.get("silentSeconds");
  const concurrency = members.get("concurrency");
  const rps = members.get("rps");
  if (!isNumber(silentSeconds) || !isNumbers(concurrency) || !isNumbers(rps)) return undefined;
  return { silentSeconds, concurrency, rps };
}

function deciderMemory(value: unknown): DeciderMemory | undefined {
  const members = membersOf(value);
  const desiredPods = members.get("desiredPods");
  const excessBurstCapacity = members.get("excessBurstCapacity");
  const panic = membersOf(members.get("panic"));
  const [agoMs, podsMax] = [panic.get("agoMs"), panic.get("podsMax")];
  const held = members.get("held");
  if (!isNumber(desiredPods) || !isNumber(excessBurstCapacity) || !Array.isArray(held)) return undefined;
  return {
    desiredPods,
    excessBurstCapacity,
    ...(isNumber(agoMs) && isNumber(podsMax) ? { panic: { agoMs, podsMax } } : {}),
    held: held.flatMap((step) => {
      const [slotsAgo, pods] = [membersOf(step).get("slotsAgo"), membersOf(step).get("pods")];
      return isNumber(slotsAgo) && isNumber(pods) ? [{ slotsAgo, pods }] : [];
    }),
  };
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= -1e12 && value <= 1e15;
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length <= 3_600 && value.every(isNumber);
}
