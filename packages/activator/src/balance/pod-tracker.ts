import { assert, type Endpoint, type Upstream } from "@rouse/shared";
import type { Slots } from "./slots.ts";

/** Connections to one endpoint, closed by who opened them. */
export interface ClosableUpstream extends Upstream {
  close(): unknown;
}

/** Ejection after the n-th failure in a row to connect: 50 ms doubling to 2 s. */
const EJECTION_MS_FIRST = 50;
const EJECTION_MS_MAX = 2_000;

/**
 * Our view of one endpoint: how many requests of ours it has, how many it may have, and whether it could be reached.
 * It outlives its place in the list while requests run on it, and comes back with them.
 */
export class PodTracker {
  readonly endpoint: Endpoint;
  readonly upstream: ClosableUpstream;
  readonly #slots: Slots;
  #inFlight = 0;
  #failures = 0;
  #isEjected = false;

  constructor(endpoint: Endpoint, upstream: ClosableUpstream, slots: Slots) {
    this.endpoint = endpoint;
    this.upstream = upstream;
    this.#slots = slots;
  }

  /** Requests of ours that are running on it. */
  get load(): number {
    return this.#inFlight;
  }

  get hasSlot(): boolean {
    return this.#inFlight < this.#slots.limit;
  }

  get isEjected(): boolean {
    return this.#isEjected;
  }

  /** Takes a slot. To be given back by `release`, exactly once. */
  reserve(): void {
    assert(this.hasSlot, "reserved a slot of a full pod");
    this.#inFlight++;
  }

  release(): void {
    assert(this.#inFlight > 0, "released a slot nobody had");
    this.#inFlight--;
  }

  /** It answered: what it could not do before is forgotten. */
  responded(): void {
    this.#failures = 0;
    this.#slots.responded();
  }

  relaxed(): void {
    this.#slots.relaxed();
  }

  /**
   * It could not be reached: it is left out for a while. Returns how long, or `undefined` if it already was, as when
   * many requests find out at once.
   */
  eject(): number | undefined {
    if (this.#isEjected) return undefined;
    this.#isEjected = true;
    return Math.min(EJECTION_MS_FIRST * 2 ** this.#failures++, EJECTION_MS_MAX);
  }

  /** It may be tried again. */
  readmit(): void {
    this.#isEjected = false;
  }

  /** Somebody who knows says that it is up. */
  vouch(): void {
    this.#failures = 0;
    this.#isEjected = false;
  }
}
