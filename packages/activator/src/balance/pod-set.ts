import type { Endpoint, Random } from "@rouse/shared";
import { type ClosableUpstream, PodTracker } from "./pod-tracker.ts";
import { type LoadBalancing, type Policy, policyFor } from "./policy.ts";
import { RoutablePods } from "./routable-pods.ts";
import { type ActivatorPlace, shareOf } from "./share.ts";
import { FixedSlots, RampedSlots } from "./slots.ts";

export interface PodSetOptions {
  /** 0 = unlimited. */
  readonly containerConcurrency: number;
  readonly loadBalancing?: LoadBalancing;
  readonly connect: (endpoint: Endpoint, kind: EndpointKind) => ClosableUpstream;
}

/** A pod, or the address of the Service in front of them all. */
export type EndpointKind = "pod" | "service";

/** What became of a pod that could not be reached. */
export type Ejection =
  | { readonly kind: "ejected"; readonly forMs: number; readonly ejection: number }
  /** It was already, as when many requests find out at once; or it is not in the list any more. */
  | { readonly kind: "out" }
  /** Too many are out already, or it is the last. */
  | { readonly kind: "kept" };

/**
 * The pods of one revision as far as this activator sees them: which are usable, which are its share, which of these
 * can take a request. containerConcurrency 0 knows no shares: every activator uses every pod.
 */
export class PodSet {
  readonly #options: PodSetOptions;
  #loadBalancing: LoadBalancing;
  #policy: Policy;
  readonly #trackers = new Map<Endpoint, PodTracker>();
  /** No longer usable, kept for the requests that still run on them. */
  readonly #leaving = new Set<PodTracker>();
  /** Those that time changes. */
  readonly #young = new Set<PodTracker>();
  #usable: readonly Endpoint[] = [];
  /** Slots of the one address that leads to all pods, while there is one instead of them. */
  #serviceSlots: number | undefined;
  #place: ActivatorPlace = { kind: "unknown" };
  /** This activator's share, ejected ones included. */
  #routable = new RoutablePods([]);
  #inFlight = 0;
  /** Of the routable. */
  #ejected = 0;

  constructor(options: PodSetOptions) {
    this.#options = options;
    this.#loadBalancing = options.loadBalancing ?? "contract";
    this.#policy = policyFor(options.containerConcurrency, this.#loadBalancing);
  }

  /** Usable pods, whoever's share they are. */
  get usableCount(): number {
    return this.#usable.length;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Requests that may run at one time; unlimited while a pod is usable and containerConcurrency is 0. A-72. */
  get capacity(): number {
    const { containerConcurrency } = this.#options;
    const count = this.#routable.trackers.length - this.#ejected;
    if (count === 0) return 0;
    if (this.#serviceSlots !== undefined) return this.#serviceSlots;
    return containerConcurrency === 0 ? Number.POSITIVE_INFINITY : containerConcurrency * count;
  }

  /** Requests on each pod of this activator's share. */
  get loads(): readonly number[] {
    return this.#routable.trackers.map(({ load }) => load);
  }

  /** Replaces the list of usable pods. One that leaves lets its requests finish; its connections close after the last. */
  setUsable(endpoints: Iterable<Endpoint>): void {
    this.#serviceSlots = undefined;
    this.#replace(endpoints, "pod");
  }

  /**
   * Instead of pods an address that leads to all of them: the ClusterIP of their Service, where a mesh lets nobody go to
   * pods directly..
   * @param readyPods how many stand behind it
   */
  setService(endpoint: Endpoint, readyPods: number): void {
    const { containerConcurrency } = this.#options;
    this.#serviceSlots = undefined;
    this.#replace(readyPods === 0 ? [] : [endpoint], "service");
    const tracker = this.#trackers.get(endpoint);
    if (tracker === undefined || readyPods === 0) return;
    const activators = this.#place.kind === "known" ? this.#place.of : 1;
    const share = Math.max(1, Math.floor((containerConcurrency * readyPods) / Math.max(1, activators)));
    this.#serviceSlots = containerConcurrency === 0 ? Number.POSITIVE_INFINITY : share;
    tracker.resize(share);
    this.#routable.changed(tracker);
  }

  setPlace(place: ActivatorPlace): void {
    if (isSamePlace(place, this.#place)) return;
    this.#place = place;
    this.#reassign();
  }

  setLoadBalancing(loadBalancing: LoadBalancing): void {
    if (loadBalancing === this.#loadBalancing) return; // round robin goes on where it was
    this.#loadBalancing = loadBalancing;
    this.#policy = policyFor(this.#options.containerConcurrency, loadBalancing);
  }

  /** Takes a slot of the pod the policy chooses; `undefined` if none is free. To be given back by `release`. */
  reserve(random: Random): PodTracker | undefined {
    const tracker = this.#policy.pick(this.#routable, random);
    if (tracker === undefined) return undefined;
    tracker.reserve();
    this.#inFlight++;
    this.#routable.changed(tracker);
    return tracker;
  }

  release(tracker: PodTracker): void {
    tracker.release();
    this.#inFlight--;
    if (tracker.load === 0 && this.#leaving.has(tracker)) this.#retire(tracker);
    else this.#routable.changed(tracker);
  }

  /** The pod began to answer. */
  responded(tracker: PodTracker): void {
    tracker.responded();
    this.#routable.changed(tracker);
  }

  /**
   * Leaves a pod out that could not be reached; never the last one, and never more than half: then it is more likely
   * us than them, and to wait for a pod that may be there is worse than to try it.
   * @param options.evenLast it is known to be them
   */
  eject(tracker: PodTracker, { evenLast = false }: { readonly evenLast?: boolean } = {}): Ejection {
    if (tracker.isEjected || !this.#routable.has(tracker)) return { kind: "out" };
    if (!evenLast && this.#ejected >= ejectedMax(this.#routable)) return { kind: "kept" };
    const ejection = tracker.eject();
    this.#ejected++;
    this.#routable.changed(tracker);
    return { kind: "ejected", ...ejection };
  }

  /** That ejection of the pod is over, unless it has ended otherwise. */
  readmit(tracker: PodTracker, ejection: number): void {
    const wasEjected = tracker.isEjected;
    tracker.readmit(ejection);
    this.#letIn(tracker, wasEjected);
  }

  /** Somebody who knows says that the pod is up: an ejection ends. */
  vouch(endpoint: Endpoint): void {
    const tracker = this.#trackers.get(endpoint);
    if (tracker === undefined) return;
    const wasEjected = tracker.isEjected;
    tracker.vouch();
    this.#letIn(tracker, wasEjected);
  }

  /** Once a second. */
  relaxed(): void {
    for (const tracker of this.#young) {
      tracker.relaxed();
      this.#routable.changed(tracker);
      if (tracker.isSettled) this.#young.delete(tracker);
    }
  }

  /** Closes every connection, those with requests on them too. */
  close(): void {
    for (const tracker of this.#trackers.values()) tracker.upstream.close();
    this.#trackers.clear();
    this.#leaving.clear();
    this.#young.clear();
    this.#usable = [];
    this.#reassign();
  }

  #replace(endpoints: Iterable<Endpoint>, kind: EndpointKind): void {
    const usable = new Set(endpoints);
    if (usable.size === this.#usable.length && this.#usable.every((endpoint) => usable.has(endpoint))) return;
    this.#usable = [...usable].sort((a, b) => (a < b ? -1 : 1)); // by bytes of `ip:port`: A-77
    for (const endpoint of this.#usable) {
      const tracker = this.#trackers.get(endpoint);
      if (tracker === undefined) this.#trackers.set(endpoint, this.#track(endpoint, kind));
      else this.#leaving.delete(tracker);
    }
    for (const tracker of [...this.#trackers.values()]) {
      if (!usable.has(tracker.endpoint)) this.#retire(tracker);
    }
    this.#reassign();
  }

  #track(endpoint: Endpoint, kind: EndpointKind): PodTracker {
    const { containerConcurrency, connect } = this.#options;
    const slots = containerConcurrency === 0 ? new RampedSlots() : new FixedSlots(containerConcurrency);
    const tracker = new PodTracker(endpoint, connect(endpoint, kind), slots);
    this.#young.add(tracker);
    return tracker;
  }

  /** With requests on it a tracker stays, so that a pod that comes back is not given more than it can take. */
  #retire(tracker: PodTracker): void {
    if (tracker.load > 0) {
      this.#leaving.add(tracker);
      return;
    }
    this.#leaving.delete(tracker);
    this.#young.delete(tracker);
    this.#trackers.delete(tracker.endpoint);
    tracker.upstream.close();
  }

  #letIn(tracker: PodTracker, wasEjected: boolean): void {
    if (!wasEjected || tracker.isEjected || !this.#routable.has(tracker)) return;
    this.#ejected--;
    this.#routable.changed(tracker);
  }

  #reassign(): void {
    const isShared = this.#options.containerConcurrency > 0;
    const share = isShared ? shareOf(this.#usable, this.#place) : this.#usable;
    const trackers = share.flatMap((endpoint) => this.#trackers.get(endpoint) ?? []);
    this.#routable = new RoutablePods(trackers);
    this.#ejected = 0;
    for (const tracker of trackers) {
      if (!tracker.isEjected) continue;
      if (this.#ejected < ejectedMax(this.#routable)) {
        this.#ejected++;
        continue;
      }
      tracker.readmit(); // fewer pods are left, and the floor holds for these too
      this.#routable.changed(tracker);
    }
  }
}

function ejectedMax({ trackers }: RoutablePods): number {
  return Math.floor(trackers.length / 2);
}

function isSamePlace(a: ActivatorPlace, b: ActivatorPlace): boolean {
  if (a.kind === "unknown" || b.kind === "unknown") return a.kind === b.kind;
  return a.index === b.index && a.of === b.of;
}
