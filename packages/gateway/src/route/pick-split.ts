import type { Random } from "@rouse/shared";
import type { RoutePath, Split } from "./routing-table.ts";

/** One way of a path at random, by weight; `undefined` if it has none. C-111. */
export function pickSplit<B>(path: RoutePath<B>, random: Random): Split<B> | undefined {
  const [first] = path.splits;
  if (path.splits.length <= 1) return first;
  let at = random.integer(0, path.percentTotal - 1);
  for (const split of path.splits) {
    if (at < split.percent) return split;
    at -= split.percent;
  }
  return first;
}
