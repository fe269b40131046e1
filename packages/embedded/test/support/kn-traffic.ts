import type { TrafficTarget } from "@rouse/shared";

/** What `kn service create|update` is told about traffic. */
export interface TrafficFlags {
  /** Tags to clear. */
  readonly untag?: readonly string[];
  /** `revision=tag`, `@latest=tag`. */
  readonly tag?: readonly string[];
  /** `revision|tag|@latest=percent`. */
  readonly traffic?: readonly string[];
}

type Draft = { -readonly [K in keyof TrafficTarget]: TrafficTarget[K] };

const LATEST = "@latest";

/**
 * kn's arithmetic of traffic, as its source does it: tags cleared, tags set, percents given anew, and what is left over
 * to the one target nobody mentioned. C-165, CV-38 @throws Error in kn's place
 */
export function knTraffic(
  spec: readonly TrafficTarget[],
  status: readonly TrafficTarget[],
  flags: TrafficFlags,
): readonly TrafficTarget[] {
  const targets: Draft[] = spec.map((target) => ({ ...target }));
  for (const tag of flags.untag ?? []) {
    const tagged = targets.find((target) => target.tag === tag);
    if (tagged === undefined) throw new Error(`tag(s) ${tag} not present for any revisions of service`);
    delete tagged.tag;
  }
  for (const [ref, tag] of pairs(flags.tag)) {
    const holder = targets.find((target) => target.tag === tag);
    if (holder !== undefined && !isOf(holder, ref))
      throw new Error(`refusing to overwrite existing tag ${tag}`);
    const untagged = targets.find((target) => isOf(target, ref) && target.tag === undefined);
    if (untagged !== undefined) untagged.tag = tag;
    else if (holder === undefined) targets.push({ ...targetOf(ref), percent: 0, tag });
  }
  const shares = pairs(flags.traffic).map(([ref, percent]) => [ref, Number(percent)] as const);
  if (shares.length > 0) share(targets, status, shares);
  return targets.filter(({ tag, percent = 0 }) => tag !== undefined || percent > 0);
}

function share(
  targets: Draft[],
  status: readonly TrafficTarget[],
  shares: readonly (readonly [ref: string, percent: number])[],
): void {
  const sum = shares.reduce((total, [, percent]) => total + percent, 0);
  if (sum > 100) throw new Error(`given traffic percents sum to ${sum}, want 100`);
  const isMentioned = ({ tag, revisionName = "", latestRevision }: TrafficTarget): boolean =>
    shares.some(
      ([ref]) => ref === tag || ref === revisionName || (ref === LATEST && latestRevision === true),
    );
  const others = status.filter((target) => (target.percent ?? 0) > 0 && !isMentioned(target));
  if (sum < 100 && others.length !== 1) throw new Error(`given traffic percents sum to ${sum}, want 100`);
  for (const target of targets) target.percent = 0;
  const give = (ref: string, percent: number): void => {
    const found =
      targets.find(
        ({ latestRevision, tag }) => ref === LATEST && latestRevision === true && tag === undefined,
      ) ??
      targets.find((target) => ref !== LATEST && target.tag === ref) ??
      targets.find((target) => isOf(target, ref));
    if (found === undefined) targets.push({ ...targetOf(ref), percent });
    else found.percent = percent;
  };
  for (const [ref, percent] of shares) give(ref, percent);
  const [rest] = others;
  if (sum < 100 && rest !== undefined) give(rest.revisionName ?? LATEST, 100 - sum);
}

function isOf({ revisionName, latestRevision }: TrafficTarget, ref: string): boolean {
  return ref === LATEST ? latestRevision === true : revisionName === ref;
}

function targetOf(ref: string): Draft {
  return ref === LATEST ? { latestRevision: true } : { revisionName: ref, latestRevision: false };
}

function pairs(flags: readonly string[] = []): readonly (readonly [string, string])[] {
  return flags.map((flag) => {
    const [left = "", right = ""] = flag.split("=");
    return [left, right] as const;
  });
}
