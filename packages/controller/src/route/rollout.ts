import { NO_PACE, type RolloutEntry, type RolloutPace, type RolloutShare } from "./rollout-state.ts";

const NS_PER_SECOND = 1_000_000_000n;

/**
 * The next state of a rollout: `wanted` is where it is to end, `stored` where it stands. A new revision begins with
 * 1 %; later ones wait for their time. Without a stored state there is nothing to roll from. C-96
 */
export function stepRollout(
  wanted: readonly RolloutEntry[],
  stored: readonly RolloutEntry[],
  nowNs: bigint,
): readonly RolloutEntry[] {
  if (stored.length === 0) return wanted;
  const knownTags = new Set(stored.map(({ tag }) => tag));
  const seenTags = new Set<string>();
  return wanted.flatMap((goal) => {
    const isFirstOfTag = !seenTags.has(goal.tag);
    seenTags.add(goal.tag);
    if (!knownTags.has(goal.tag)) return isFirstOfTag ? [goal] : [];
    const previous = stored.find(
      ({ tag, configurationName }) => tag === goal.tag && configurationName === goal.configurationName,
    );
    // One percent cannot be split any further.
    if (previous === undefined || goal.percent <= 1) return [goal];
    return [stepEntry(goal, previous, nowNs)];
  });
}

/**
 * Settles how fast entries go that have begun: the time the gateways took for the first percent is the smallest step
 * that makes sense, and the rest of the duration is divided by it. C-95
 */
export function setPace(
  stored: readonly RolloutEntry[],
  options: { readonly nowNs: bigint; readonly durationSeconds: number },
): readonly RolloutEntry[] {
  const { nowNs, durationSeconds } = options;
  return stored.map((entry) => {
    const { pace, percent } = entry;
    if (pace.startNs === 0n || pace.stepNs > 0n) return entry;
    const took = Math.max(1, Math.ceil(Number(nowNs - pace.startNs) / Number(NS_PER_SECOND)));
    const left = Math.max(1, durationSeconds - took);
    const steps = Math.min(Math.max(1, left / took), percent - 1);
    if (steps <= 0) return entry;
    const stepNs = BigInt(Math.trunc((left / steps) * Number(NS_PER_SECOND)));
    const stepPercent = Math.round((percent - 1) / steps);
    return { ...entry, pace: { ...pace, stepNs, stepPercent, nextStepNs: nowNs + stepNs } };
  });
}

/** When the next step of any entry is due; `undefined` for none. C-98 */
export function nextStepNs(entries: readonly RolloutEntry[]): bigint | undefined {
  let first: bigint | undefined;
  for (const { pace } of entries) {
    if (pace.nextStepNs > 0n && (first === undefined || pace.nextStepNs < first)) first = pace.nextStepNs;
  }
  return first;
}

/** C-97 */
function stepEntry(goal: RolloutEntry, previous: RolloutEntry, nowNs: bigint): RolloutEntry {
  const shares = adjust(previous.revisions, goal.percent - previous.percent);
  const newest = shares.at(-1);
  const [target] = goal.revisions;
  if (target === undefined || newest === undefined) return goal;
  if (newest.revisionName !== target.revisionName) {
    const pace: RolloutPace = { ...NO_PACE, startNs: nowNs };
    return { ...goal, revisions: begin(shares, target.revisionName), pace };
  }
  if (shares.length === 1) return goal;
  const { pace } = previous;
  const isDue = pace.stepPercent > 0 && nowNs >= pace.nextStepNs;
  if (!isDue) return { ...goal, revisions: shares, pace };
  const revisions = move(shares, pace.stepPercent, goal.percent);
  const isDone = revisions.length === 1;
  return { ...goal, revisions, pace: isDone ? NO_PACE : { ...pace, nextStepNs: nowNs + pace.stepNs } };
}

/** More goes to the newest; less is taken from the oldest first. */
function adjust(shares: readonly RolloutShare[], change: number): readonly RolloutShare[] {
  if (change >= 0) {
    return shares.map((share, index) =>
      index === shares.length - 1 ? { ...share, percent: share.percent + change } : share,
    );
  }
  return take(shares, -change);
}

/** A new revision gets 1 % of the newest that has any. */
function begin(shares: readonly RolloutShare[], revisionName: string): readonly RolloutShare[] {
  return [...take(shares.toReversed(), 1).toReversed(), { revisionName, percent: 1 }];
}

/** One step: from the second newest on towards the oldest, to the newest. */
function move(
  shares: readonly RolloutShare[],
  stepPercent: number,
  percent: number,
): readonly RolloutShare[] {
  const newest = shares.at(-1);
  if (newest === undefined) return shares;
  const older = take(shares.slice(0, -1).toReversed(), stepPercent).toReversed();
  return [...older, { ...newest, percent: Math.min(percent, newest.percent + stepPercent) }];
}

/** The shares with `amount` taken from the first on; those left with nothing are gone. */
function take(shares: readonly RolloutShare[], amount: number): readonly RolloutShare[] {
  let rest = amount;
  return shares
    .map((share) => {
      const taken = Math.min(share.percent, rest);
      rest -= taken;
      return { ...share, percent: share.percent - taken };
    })
    .filter(({ percent }) => percent > 0);
}
