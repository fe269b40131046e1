/** How many requests one pod may have from us at one time. */
export interface Slots {
  /** So many from now on, where it is for others to say. */
  resize(limit: number): void;
  readonly limit: number;
  /** The pod began to answer a request. */
  responded(): void;
  /** Called once a second, until `isSettled`. */
  relaxed(): void;
  /** The limit will not change any more. */
  readonly isSettled: boolean;
}

/** containerConcurrency of 1 or more: as many as the revision says. */
export class FixedSlots implements Slots {
  #limit: number;
  readonly isSettled = true;

  constructor(containerConcurrency: number) {
    this.#limit = containerConcurrency;
  }

  get limit(): number {
    return this.#limit;
  }

  resize(limit: number): void {
    this.#limit = limit;
  }

  responded(): void {}

  relaxed(): void {}
}

/** Enough to find out how fast a pod is, few enough for a program that has only just begun to listen. */
const RAMP_FIRST = 100;
/** Beyond this the ramp is over and the pod takes all there is. */
const RAMP_END = 100_000;

/**
 * containerConcurrency 0: no limit in the end, but a pod that has just come up is not given 10,000 held requests in
 * one burst. It begins with 100; each answer begun adds one, so that the limit doubles with every round of answers,
 * and every second doubles it anyway, so that requests that stay open for long (WebSockets) are not kept waiting by
 * each other.
 */
export class RampedSlots implements Slots {
  #limit = RAMP_FIRST;

  get limit(): number {
    return this.#limit;
  }

  resize(): void {} // it finds out by itself

  get isSettled(): boolean {
    return this.#limit === Number.POSITIVE_INFINITY;
  }

  responded(): void {
    this.#grow(1);
  }

  relaxed(): void {
    this.#grow(this.#limit);
  }

  #grow(by: number): void {
    this.#limit = this.#limit + by > RAMP_END ? Number.POSITIVE_INFINITY : this.#limit + by;
  }
}
