import { assert, type Endpoint, endpoint as endpointOf, type Upstream } from "@rouse/shared";
import type { Slots } from "./slots.ts";

/** Connections to one endpoint, closed by who opened them. */
export interface ClosableUpstream extends Upstream {
  close(): unknown;
}

/** Ejection after the n-th failure in a row to connect: 50 ms doubling to 2 s. */
const EJECTION_MS_FIRST = 50;
const EJECTION_MS_MAX = 2_000;
/** A new pod counts as this warm, and is so much warmer every second. */
const WARMTH_STEP = 0.1;

/**
 * Our view of one endpoint: how many requests of ours it has, how many it may have, and whether it could be reached.
 * It outlives its place in the list while requests run on it, and comes back with them.
 */
export class PodTracker {
  readonly endpoint: Endpoint;
  readonly upstream: ClosableUpstream;
  /** What requests to it are addressed to: where its connections go, which by TLS is another port. */
  readonly authority: Endpoint;
  /** Its place in the list it was last put in. Kept by that list. */
  position = -1;
  readonly #slots: Slots;
  #inFlight = 0;
  #failures = 0;
  #warmth = WARMTH_STEP;
  /** Number of the ejection that lasts; 0 = none. */
  #ejection = 0;
  #ejections = 0;

  constructor(endpoint: Endpoint, upstream: ClosableUpstream, slots: Slots) {
    this.endpoint = endpoint;
    this.upstream = upstream;
    this.authority = endpointOf(upstream);
    this.#slots = slots;
  }

  /** Requests of ours that are running on it. */
  get load(): number {
    return this.#inFlight;
  }

  /** How much of its share it can take, by the time it has been up: from 0.1 to 1 in nine seconds. */
  get warmth(): number {
    return this.#warmth;
  }

  get hasSlot(): boolean {
    return this.#ejection === 0 && this.#inFlight < this.#slots.limit;
  }

  get isEjected(): boolean {
    return this.#ejection !== 0;
  }

  /** Whether time changes anything about it. */
  get isSettled(): boolean {
    return this.#warmth >= 1 && this.#slots.isSettled;
  }

  /** Takes a slot. To be given back by `release`, exactly once. */
  reserve(): void {
    assert(this.hasSlot, "reserved a slot of a full pod");
    this.#inFlight++;
  }

  resize(limit: number): void {
    this.#slots.resize(limit);
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

  /** A second has gone by. */
  relaxed(): void {
    this.#warmth = Math.min(1, this.#warmth + WARMTH_STEP);
    this.#slots.relaxed();
  }

  /** It is left out for a while. Returns for how long, and the number by which it is readmitted. */
  eject(): { readonly forMs: number; readonly ejection: number } {
    this.#ejection = ++this.#ejections;
    return {
      forMs: Math.min(EJECTION_MS_FIRST * 2 ** this.#failures++, EJECTION_MS_MAX),
      ejection: this.#ejection,
    };
  }

  /** The ejection of that number ends, if it still lasts. */
  readmit(ejection = this.#ejection): void {
    if (ejection === this.#ejection) this.#ejection = 0;
  }

  /** Somebody who knows says that it is up. */
  vouch(): void {
    this.#failures = 0;
    this.#ejection = 0;
  }
}
