export type ConditionStatus = "True" | "False" | "Unknown";

/** One entry of `status.conditions`. Absent severity means error. */
export interface Condition {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly severity?: "Info" | "Warning";
  readonly lastTransitionTime?: string;
  /** Deployments only: when the condition was last confirmed. The progress deadline counts from it. */
  readonly lastUpdateTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

export type ConditionChange = Omit<Condition, "type" | "lastTransitionTime">;

export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * The conditions of one object during one pass. Changes are collected and `list()` stamps what differs from before
 * with one timestamp (S-21): a condition's time moves when its status, reason or message does, and only then.
 * `Ready` (or `happy`) follows its dependents: any False makes it False with that one's reason, else any Unknown
 * makes it Unknown, else it is True (S-20).
 */
export class ConditionSet {
  readonly #happy: string;
  readonly #dependents: readonly string[];
  readonly #before: ReadonlyMap<string, Condition>;
  readonly #now: Map<string, Condition>;

  constructor(happy: string, dependents: readonly string[], before: readonly Condition[] | undefined) {
    this.#happy = happy;
    this.#dependents = dependents;
    this.#before = new Map((before ?? []).map((condition) => [condition.type, condition]));
    this.#now = new Map(this.#before);
    for (const type of [happy, ...dependents]) {
      if (!this.#now.has(type)) this.#now.set(type, { type, status: "Unknown" });
    }
  }

  get(type: string): Condition {
    return this.#now.get(type) ?? { type, status: "Unknown" };
  }

  set(type: string, change: ConditionChange): void {
    this.#now.set(type, { type, ...change });
    if (type !== this.#happy) this.#now.set(this.#happy, { type: this.#happy, ...this.#aggregate(type) });
  }

  /** Sets the aggregate itself, as for `NewObservedGenFailure`; the next `set` of a dependent overrides it. */
  setHappy(change: ConditionChange): void {
    this.#now.set(this.#happy, { type: this.#happy, ...change });
  }

  /** Sorted by type, as the reference writes them. `at` is RFC 3339. */
  list(at: string): readonly Condition[] {
    return [...this.#now.values()]
      .map((condition) => {
        const before = this.#before.get(condition.type);
        const isSame = before !== undefined && isSameCondition(before, condition);
        return { ...condition, lastTransitionTime: isSame ? (before.lastTransitionTime ?? at) : at };
      })
      .sort((a, b) => (a.type < b.type ? -1 : 1));
  }

  #aggregate(latest: string): ConditionChange {
    const ordered = [latest, ...this.#dependents.filter((type) => type !== latest)]
      .filter((type) => this.#dependents.includes(type))
      .map((type) => this.get(type));
    const deciding =
      ordered.find((condition) => condition.status === "False") ??
      ordered.find((condition) => condition.status === "Unknown");
    if (deciding === undefined) return { status: "True" };
    const { status, reason, message } = deciding;
    return {
      status,
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    };
  }
}

function isSameCondition(a: Condition, b: Condition): boolean {
  return (
    a.status === b.status &&
    (a.reason ?? "") === (b.reason ?? "") &&
    (a.message ?? "") === (b.message ?? "") &&
    (a.severity ?? "") === (b.severity ?? "")
  );
}
