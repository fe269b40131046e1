import type { TrafficTarget } from "@rouse/shared";

/**
 * Whether a Route's status sends traffic where its spec wants it, for a Service whose Configuration's newest ready
 * revision is `latestReady`. Entries the Route merges are merged here first, or they would differ for ever (C-28).
 */
export function isTrafficMigrated(
  wanted: readonly TrafficTarget[],
  actual: readonly TrafficTarget[],
  of: { readonly configurationName: string; readonly latestReady: string | undefined },
): boolean {
  const expected = merge(
    wanted.map((target) =>
      target.configurationName === of.configurationName && of.latestReady !== undefined
        ? { ...target, configurationName: undefined, revisionName: of.latestReady }
        : target,
    ),
  );
  return (
    expected.length === actual.length && expected.every((target, index) => isSame(target, actual[index]))
  );
}

type Entry = { readonly [K in keyof TrafficTarget]?: TrafficTarget[K] | undefined };

/** As C-70: entries of one tag, revision and latestRevision are one. */
function merge(targets: readonly Entry[]): readonly Entry[] {
  const merged = new Map<string, Entry>();
  for (const target of targets) {
    const { tag = "", revisionName = "", configurationName = "", latestRevision = false } = target;
    const key = JSON.stringify([tag, revisionName, configurationName, latestRevision]);
    const before = merged.get(key);
    merged.set(key, before === undefined ? target : { ...before, percent: share(before) + share(target) });
  }
  return [...merged.values()];
}

function isSame(a: Entry, b: Entry | undefined): boolean {
  return (
    b !== undefined &&
    (a.tag ?? "") === (b.tag ?? "") &&
    (a.revisionName ?? "") === (b.revisionName ?? "") &&
    (a.configurationName ?? "") === (b.configurationName ?? "") &&
    share(a) === share(b)
  );
}

function share(target: Entry): number {
  return target.percent ?? 0;
}
