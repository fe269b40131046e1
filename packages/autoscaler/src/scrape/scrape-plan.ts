import type { Random } from "@rouse/shared";

/** Up to here every pod is asked. S-46. */
const POPULATION_ALL_MAX = 3;
/** 95 % confidence (1.96), a variance of 100, a margin of 5. S-46. */
const SAMPLE_BASE = (1.96 ** 2 * 100) / 5 ** 2;

/** How many of `population` pods say enough about all of them. S-46, V-31. */
export function sampleSize(population: number): number {
  if (population <= POPULATION_ALL_MAX) return population;
  return Math.ceil((population * SAMPLE_BASE) / (population + SAMPLE_BASE - 1));
}

/**
 * The order pods are asked in. Pods older than the window come first: only they can speak for all of it. Which of
 * them, and which young ones fill up, is chance. S-47, V-33.
 */
export function scrapeOrder<P extends { readonly startedAt: number | undefined }>(
  pods: readonly P[],
  {
    sample,
    oldSince,
    random,
  }: { readonly sample: number; readonly oldSince: number; readonly random: Random },
): readonly P[] {
  const old: P[] = [];
  const young: P[] = [];
  for (const pod of pods) (isOld(pod, oldSince) ? old : young).push(pod);
  shuffle(old.length < sample ? young : old, random);
  return [...old, ...young];
}

function isOld(pod: { readonly startedAt: number | undefined }, oldSince: number): boolean {
  return pod.startedAt !== undefined && pod.startedAt <= oldSince;
}

function shuffle<T>(items: T[], random: Random): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = random.integer(0, at);
    const [a, b] = [items[at], items[other]];
    if (a === undefined || b === undefined) continue;
    items[at] = b;
    items[other] = a;
  }
}
