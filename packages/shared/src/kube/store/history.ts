import type { StoredObject } from "./stored-object.ts";

/** One stored change. `before` is the state it replaced; of a deletion, `object` is the last state with a new version. */
export interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: StoredObject;
  readonly before: StoredObject | undefined;
  readonly version: number;
}

/** Forgotten entries are cleared at once; their places are given back in steps of at least this. */
const COMPACT_MIN = 1_024;

/**
 * The latest changes of one kind, numbered by `sequence`, for watches to read from at their own pace. Bounded: the
 * oldest are forgotten, and whoever still needed them has to list again (P-115).
 */
export class History {
  readonly #changesMax: number;
  #changes: (Change | undefined)[] = [];
  /** Places in `#changes` whose change is forgotten. */
  #forgotten = 0;
  #sequenceBase = 0;
  #versionForgotten: number;

  /** Nothing up to and including `versionForgotten` is known here. */
  constructor(changesMax: number, versionForgotten: number) {
    this.#changesMax = changesMax;
    this.#versionForgotten = versionForgotten;
  }

  /** Sequence of the oldest change still known; equal to `sequenceNext` when there is none. */
  get sequenceFirst(): number {
    return this.#sequenceBase + this.#forgotten;
  }

  get sequenceNext(): number {
    return this.#sequenceBase + this.#changes.length;
  }

  append(change: Change): void {
    this.#changes.push(change);
    if (this.#changes.length - this.#forgotten > this.#changesMax) this.#forgetOldest();
  }

  at(sequence: number): Change | undefined {
    return this.#changes[sequence - this.#sequenceBase];
  }

  /** Sequence of the first change after `version`, or `undefined` if changes since then may be forgotten. */
  sequenceAfter(version: number): number | undefined {
    if (version < this.#versionForgotten) return undefined;
    let low = this.#forgotten;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle]?.version ?? 0) <= version) low = middle + 1;
      else high = middle;
    }
    return this.#sequenceBase + low;
  }

  #forgetOldest(): void {
    this.#versionForgotten = this.#changes[this.#forgotten]?.version ?? this.#versionForgotten;
    this.#changes[this.#forgotten++] = undefined;
    if (this.#forgotten < Math.max(COMPACT_MIN, this.#changesMax)) return;
    this.#changes = this.#changes.slice(this.#forgotten);
    this.#sequenceBase += this.#forgotten;
    this.#forgotten = 0;
  }
}
