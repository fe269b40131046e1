import type { Target } from "./traffic.ts";

/** A revision's part of an entry, in percent of the whole route, or of the tag's 100. */
export interface RolloutShare {
  readonly revisionName: string;
  readonly percent: number;
}

/** When a rollout goes on; Unix nanoseconds and nanoseconds, 0 for not known. C-92 */
export interface RolloutPace {
  readonly startNs: bigint;
  readonly nextStepNs: bigint;
  readonly stepNs: bigint;
  readonly stepPercent: number;
}

/** How the traffic of one Configuration under one traffic name is spread over its revisions, oldest first. */
export interface RolloutEntry {
  readonly configurationName: string;
  /** `""` for the route itself. */
  readonly tag: string;
  readonly percent: number;
  readonly revisions: readonly RolloutShare[];
  readonly pace: RolloutPace;
}

export const NO_PACE: RolloutPace = { startNs: 0n, nextStepNs: 0n, stepNs: 0n, stepPercent: 0 };

/** Every latest-revision target fully on its revision: where a rollout ends, and what is without one. C-93 */
export function rolloutBaseline(groups: ReadonlyMap<string, readonly Target[]>): readonly RolloutEntry[] {
  return [...groups]
    .flatMap(([tag, targets]) =>
      targets
        .filter((target) => target.isLatest && target.percent > 0)
        .map(({ configurationName, revisionName, percent }) => ({
          configurationName,
          tag,
          percent,
          revisions: [{ revisionName, percent }],
          pace: NO_PACE,
        })),
    )
    .sort(byTagThenConfiguration);
}

/** Whether traffic is still moving. C-98 */
export function isInProgress(entries: readonly RolloutEntry[]): boolean {
  return entries.some((entry) => entry.revisions.length > 1);
}

/** The entry of a target, if it follows the newest revision. */
export function entryOf(
  entries: readonly RolloutEntry[],
  group: string,
  target: Target,
): RolloutEntry | undefined {
  if (!target.isLatest) return undefined;
  return entries.find(
    ({ tag, configurationName }) => tag === group && configurationName === target.configurationName,
  );
}

/**
 * The text of the rollout annotation: compact JSON, members in this order, as controllers compare it as text. Written
 * by hand because nanoseconds do not fit a number. C-92
 */
export function rolloutText(entries: readonly RolloutEntry[]): string {
  if (entries.length === 0) return "{}";
  const texts = entries.map(({ configurationName, tag, percent, revisions, pace }) => {
    const steps = [
      ...(pace.startNs === 0n ? [] : [`"starttime":${pace.startNs}`]),
      ...(pace.nextStepNs === 0n ? [] : [`"nextStepTime":${pace.nextStepNs}`]),
      ...(pace.stepNs === 0n ? [] : [`"stepDuration":${pace.stepNs}`]),
      ...(pace.stepPercent === 0 ? [] : [`"stepSize":${pace.stepPercent}`]),
    ];
    const shares = revisions.map(
      ({ revisionName, percent: share }) =>
        `{"revisionName":${JSON.stringify(revisionName)},"percent":${share}}`,
    );
    const members = [
      `"configurationName":${JSON.stringify(configurationName)}`,
      ...(tag === "" ? [] : [`"tag":${JSON.stringify(tag)}`]),
      `"percent":${percent}`,
      ...(shares.length === 0 ? [] : [`"revisions":[${shares.join(",")}]`]),
      `"stepParams":{${steps.join(",")}}`,
    ];
    return `{${members.join(",")}}`;
  });
  return `{"configurations":[${texts.join(",")}]}`;
}

/** What an annotation says, or `undefined` if it makes no sense and counts as absent. C-94 */
export function parseRollout(text: string): readonly RolloutEntry[] | undefined {
  let value: unknown;
  try {
    // Numbers too long for a double travel as text.
    value = JSON.parse(text.replaceAll(/:\s*(\d{16,})(?=\s*[,}])/g, ':"$1"'));
  } catch {
    return undefined;
  }
  const { configurations = [] } = members(value) ?? {};
  if (!Array.isArray(configurations)) return undefined;
  const entries = configurations.map(parseEntry);
  return entries.every((entry) => entry !== undefined) ? entries : undefined;
}

function parseEntry(value: unknown): RolloutEntry | undefined {
  const { configurationName, tag = "", percent = 0, revisions = [], stepParams = {} } = members(value) ?? {};
  if (typeof configurationName !== "string" || typeof tag !== "string" || typeof percent !== "number") {
    return undefined;
  }
  if (!Array.isArray(revisions)) return undefined;
  const shares = revisions.map(parseShare);
  const pace = parsePace(stepParams);
  if (pace === undefined || !shares.every((share) => share !== undefined)) return undefined;
  const total = shares.reduce((sum, share) => sum + share.percent, 0);
  const isSound = percent <= 100 && pace.stepPercent >= 0 && pace.stepPercent <= percent && total === percent;
  return isSound ? { configurationName, tag, percent, revisions: shares, pace } : undefined;
}

function parseShare(value: unknown): RolloutShare | undefined {
  const { revisionName, percent = 0 } = members(value) ?? {};
  return typeof revisionName === "string" && typeof percent === "number"
    ? { revisionName, percent }
    : undefined;
}

function parsePace(value: unknown): RolloutPace | undefined {
  const { starttime, nextStepTime, stepDuration, stepSize = 0 } = members(value) ?? {};
  const [startNs, nextStepNs, stepNs] = [starttime, nextStepTime, stepDuration].map(nanoseconds);
  if (startNs === undefined || nextStepNs === undefined || stepNs === undefined) return undefined;
  return typeof stepSize === "number" ? { startNs, nextStepNs, stepNs, stepPercent: stepSize } : undefined;
}

function nanoseconds(value: unknown): bigint | undefined {
  if (value === undefined) return 0n;
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  return typeof value === "string" && /^\d+$/.test(value) ? BigInt(value) : undefined;
}

function members(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null ? { ...value } : undefined;
}

function byTagThenConfiguration(a: RolloutEntry, b: RolloutEntry): number {
  if (a.tag !== b.tag) return a.tag < b.tag ? -1 : 1;
  if (a.configurationName === b.configurationName) return 0;
  return a.configurationName < b.configurationName ? -1 : 1;
}
