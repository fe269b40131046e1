import type { Target } from "./traffic.ts";

/**
 * The rollout annotation of a KIngress while no rollout is under way: every latest-revision target fully on its
 * revision. Compact JSON with members in this order, as other controllers compare it as text. C-92, C-93.
 */
export function rolloutBaseline(groups: ReadonlyMap<string, readonly Target[]>): string {
  const configurations = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([tag, targets]) =>
      targets
        .filter((target) => target.isLatest && target.percent > 0)
        .sort((a, b) => (a.configurationName < b.configurationName ? -1 : 1))
        .map(({ configurationName, revisionName, percent }) => ({
          configurationName,
          ...(tag === "" ? {} : { tag }),
          percent,
          revisions: [{ revisionName, percent }],
          stepParams: {},
        })),
    );
  return JSON.stringify(configurations.length === 0 ? {} : { configurations });
}
