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
 * `Ready` (or `happy`) follows its dependents as they are set, False before Unknown before True (C-19..C-22, S-20).
 */
export class ConditionSet {
  readonly #happy: string;
  readonly #dependents: readonly string[];
  readonly #before: ReadonlyMap<string, Condition>;
  readonly #now: Map<string, Condition>;
  /** Types in the order in which they last changed in this pass, for who of several decides: the latest. */
  readonly #changed: string[] = [];

  constructor(happy: string, dependents: readonly string[], before: readonly Condition[] | undefined) {
    this.#happy = happy;
    this.#dependents = dependents;
    this.#before = new Map((before ?? []).map((condition) => [condition.type, condition]));
    this.#now = new Map(this.#before);
    // A dependent that is new to an object which is well does not make it unwell (C-18).
    const status = this.get(happy).status === "True" ? "True" : "Unknown";
    for (const type of [happy, ...dependents]) {
      if (!this.#now.has(type)) this.#now.set(type, { type, status });
    }
  }

  get(type: string): Condition {
    return this.#now.get(type) ?? { type, status: "Unknown" };
  }

  /** Sets a condition and what follows from it for `Ready`. A type that is no dependent has severity `Info` (C-17). */
  set(type: string, change: ConditionChange): void {
    if (type === this.#happy) {
      this.setHappy(change);
      return;
    }
    const isDependent = this.#dependents.includes(type);
    const condition: Condition = { type, ...(isDependent ? {} : { severity: "Info" }), ...change };
    if (!isSameCondition(this.get(type), condition)) {
      const earlier = this.#changed.indexOf(type);
      if (earlier >= 0) this.#changed.splice(earlier, 1);
      this.#changed.push(type);
    }
    this.#now.set(type, condition);
    switch (change.status) {
      case "True":
        this.setHappy(this.#aggregate());
        break;
      case "False":
        if (isDependent) this.setHappy(change);
        break;
      case "Unknown":
        if (isDependent) this.setHappy(this.#latest("False") ?? change);
        break;
    }
  }

  /** Sets the aggregate itself, as for `NewObservedGenFailure`; the next `set` of a dependent overrides it. */
  setHappy({ status, reason, message }: ConditionChange): void {
    this.#now.set(this.#happy, {
      type: this.#happy,
      status,
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    });
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

  #aggregate(): ConditionChange {
    const { status, reason, message } = this.#latest("False") ??
      this.#latest("Unknown") ?? { status: "True" };
    return {
      status,
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    };
  }

  /** Of the dependents with that status, the one that changed last: in this pass, else by its time. */
  #latest(status: ConditionStatus): ConditionChange | undefined {
    let latest: Condition | undefined;
    for (const type of this.#dependents) {
      const condition = this.get(type);
      if (condition.status !== status) continue;
      if (latest === undefined || this.#isLater(condition, latest)) latest = condition;
    }
    return latest;
  }

  #isLater(a: Condition, b: Condition): boolean {
    const [changeOfA, changeOfB] = [this.#changed.indexOf(a.type), this.#changed.indexOf(b.type)];
    if (changeOfA !== changeOfB) return changeOfA > changeOfB;
    return (a.lastTransitionTime ?? "") > (b.lastTransitionTime ?? ""); // RFC 3339 in UTC sorts as text
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
