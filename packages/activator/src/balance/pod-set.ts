import type { Endpoint, Random } from "@rouse/shared";
import { type ClosableUpstream, PodTracker } from "./pod-tracker.ts";
import { type Policy, policyFor } from "./policy.ts";
import { type ActivatorPlace, shareOf } from "./share.ts";
import { FixedSlots, RampedSlots } from "./slots.ts";

export interface PodSetOptions {
  /** 0 = unlimited. */
  readonly containerConcurrency: number;
  readonly connect: (endpoint: Endpoint) => ClosableUpstream;
}

/**
 * The pods of one revision as far as this activator sees them: which are usable, which are its share, which of these
 * can take a request. containerConcurrency 0 knows no shares: every activator uses every pod.
 */
export class PodSet {
  readonly #options: PodSetOptions;
  readonly #policy: Policy;
  readonly #trackers = new Map<Endpoint, PodTracker>();
  /** No longer usable, kept for the requests that still run on them. */
  readonly #leaving = new Set<PodTracker>();
  #usable: readonly Endpoint[] = [];
  #place: ActivatorPlace = { kind: "unknown" };
  /** This activator's share without those ejected, sorted by endpoint. */
  #routable: readonly PodTracker[] = [];

  constructor(options: PodSetOptions) {
    this.#options = options;
    this.#policy = policyFor(options.containerConcurrency);
  }

  /** Usable pods, whoever's share they are. */
  get usableCount(): number {
    return this.#usable.length;
  }

  get inFlight(): number {
    let total = 0;
    for (const tracker of this.#trackers.values()) total += tracker.load;
    return total;
  }

  /** Requests that may run at one time; unlimited while a pod is usable and containerConcurrency is 0. A-72. */
  get capacity(): number {
    const { containerConcurrency } = this.#options;
    if (this.#routable.length === 0) return 0;
    return containerConcurrency === 0
      ? Number.POSITIVE_INFINITY
      : containerConcurrency * this.#routable.length;
  }

  /** Replaces the list of usable pods. One that leaves lets its requests finish; its connections close after the last. */
  setUsable(endpoints: Iterable<Endpoint>): void {
    this.#usable = [...new Set(endpoints)].sort((a, b) => (a < b ? -1 : 1)); // by bytes of `ip:port`: A-77
    const usable = new Set(this.#usable);
    for (const endpoint of this.#usable) {
      const tracker = this.#trackers.get(endpoint);
      if (tracker === undefined) this.#trackers.set(endpoint, this.#track(endpoint));
      else this.#leaving.delete(tracker);
    }
    for (const tracker of [...this.#trackers.values()]) {
      if (!usable.has(tracker.endpoint)) this.#retire(tracker);
    }
    this.#reassign();
  }

  setPlace(place: ActivatorPlace): void {
    this.#place = place;
    this.#reassign();
  }

  /** Takes a slot of the pod the policy chooses; `undefined` if none is free. To be given back by `release`. */
  reserve(random: Random): PodTracker | undefined {
    const tracker = this.#policy.pick(this.#routable, random);
    tracker?.reserve();
    return tracker;
  }

  release(tracker: PodTracker): void {
    tracker.release();
    if (tracker.load === 0 && this.#leaving.has(tracker)) this.#retire(tracker);
  }

  /** Leaves a pod out that could not be reached. Returns for how long, or `undefined` if it already was. */
  eject(tracker: PodTracker): number | undefined {
    const ejectedMs = tracker.eject();
    if (ejectedMs !== undefined) this.#reassign();
    return ejectedMs;
  }

  readmit(tracker: PodTracker): void {
    tracker.readmit();
    this.#reassign();
  }

  /** Somebody who knows says that the pod is up: an ejection ends. */
  vouch(endpoint: Endpoint): void {
    this.#trackers.get(endpoint)?.vouch();
    this.#reassign();
  }

  /** Once a second. */
  relaxed(): void {
    for (const tracker of this.#trackers.values()) tracker.relaxed();
  }

  /** Closes every connection, those with requests on them too. */
  close(): void {
    for (const tracker of this.#trackers.values()) tracker.upstream.close();
    this.#trackers.clear();
    this.#leaving.clear();
    this.#usable = [];
    this.#routable = [];
  }

  #track(endpoint: Endpoint): PodTracker {
    const { containerConcurrency, connect } = this.#options;
    const slots = containerConcurrency === 0 ? new RampedSlots() : new FixedSlots(containerConcurrency);
    return new PodTracker(endpoint, connect(endpoint), slots);
  }

  /** With requests on it a tracker stays, so that a pod that comes back is not given more than it can take. */
  #retire(tracker: PodTracker): void {
    if (tracker.load > 0) {
      this.#leaving.add(tracker);
      return;
    }
    this.#leaving.delete(tracker);
    this.#trackers.delete(tracker.endpoint);
    tracker.upstream.close();
  }

  #reassign(): void {
    const share =
      this.#options.containerConcurrency === 0 ? this.#usable : shareOf(this.#usable, this.#place);
    this.#routable = share.flatMap((endpoint) => {
      const tracker = this.#trackers.get(endpoint);
      return tracker === undefined || tracker.isEjected ? [] : [tracker];
    });
  }
}
