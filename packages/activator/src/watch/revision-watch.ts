import {
  type Endpoint,
  type Endpoints,
  type EndpointsFollower,
  EndpointsKind,
  type EndpointsSource,
  followEndpoints,
  Informer,
  type InformerDeps,
  type KubeObject,
  labels,
  type MonoMs,
  type Revision,
  type RevisionKey,
  revisionKey,
  type Stored,
} from "@rouse/shared";
import { type EndpointKind, PodSet } from "../balance/pod-set.ts";
import type { ClosableUpstream } from "../balance/pod-tracker.ts";
import type { AskPod } from "../probe/ask-pod.ts";
import { PodProber, type ProbePace } from "../probe/pod-prober.ts";
import { type PodAnswer, PodReach } from "../probe/pod-reach.ts";
import { type RevisionDirectory, unknownRevision } from "../resolve/resolve-revision.ts";
import { newRevisionEntry, type RevisionEntry, stopTimers } from "../resolve/revision-entry.ts";
import { revisionTarget } from "../resolve/revision-target.ts";
import type { MeshAccess } from "../settings/network-settings.ts";
import { RevisionThrottle } from "../throttle/revision-throttle.ts";
import type { Throttle } from "../throttle/throttle.ts";
import { cannotStart } from "../throttle/wait-errors.ts";
import { activatorPlace, podAddresses } from "./endpoints-view.ts";
import { PrivateServices } from "./private-services.ts";
import { followRevisions, type RevisionOrigin, type RevisionSource } from "./revision-source.ts";
import { describeWait, startFailure } from "./start-failure.ts";
import { StartWitness } from "./start-witness.ts";

/** How long a place is kept that nobody lists any more; the others may be others by then. A-76. */
const PLACE_MS_MAX = 30_000;

export interface RevisionWatchOptions {
  /** How this activator is listed in public Endpoints. */
  readonly podIp: string;
  readonly connect: (
    endpoint: Endpoint,
    to: { readonly namespace: string; readonly kind: EndpointKind },
  ) => ClosableUpstream;
  /** How pods are asked; over a socket unless given. */
  readonly ask?: AskPod;
  readonly probing?: ProbePace;
  /** What stands between us and pods; nothing unless told. A-58..A-61 */
  readonly mesh?: MeshAccess;
  /** Whether pods may be watched, to tell those who wait why there is none. The contract's role may not. */
  readonly watchesPods?: boolean;
  /** Whose objects say which revisions there are; Knative's own unless told. */
  readonly revisionOrigin?: RevisionOrigin;
  /** Whose objects say which pods there are; Endpoints unless told, as the contract's role allows no others. */
  readonly endpointsSource?: EndpointsSource;
}

/**
 * Keeps one entry per revision in step with the API: its pods, this activator's share of them, and why it has none.
 * Nothing is lost to the order in which objects arrive: whatever comes last looks up the rest.
 */
export class RevisionWatch implements RevisionDirectory, Disposable {
  readonly #deps: InformerDeps;
  readonly #options: RevisionWatchOptions;
  readonly #entries = new Map<RevisionKey, RevisionEntry>();
  readonly #revisions: RevisionSource;
  readonly #private: EndpointsFollower;
  readonly #public: Informer<Endpoints>;
  readonly #witness: StartWitness;
  readonly #services: PrivateServices;
  readonly #prober: PodProber;
  #throttle: Throttle | undefined;

  constructor(deps: InformerDeps, options: RevisionWatchOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#prober = new PodProber({
      clock: deps.clock,
      answered: (entry, pod, answer) => this.#answered(entry, pod, answer),
      isPassthrough: options.mesh === "passthrough",
      ...(options.ask === undefined ? {} : { ask: options.ask }),
      ...(options.probing === undefined ? {} : { pace: options.probing }),
    });
    this.#revisions = followRevisions(deps, options.revisionOrigin ?? "revisions", {
      changed: (revision) => this.#revisionChanged(revision),
      removed: (revision) => this.#forget(revisionKey(revision.metadata)),
    });
    this.#private = followEndpoints(deps, options.endpointsSource ?? { kind: "endpoints" }, {
      labelSelector: `${labels.serviceType}=Private,${labels.revision}`,
      indexed: labels.revision,
    }).handle({
      changed: (endpoints) => this.#with(endpoints, (entry) => this.#syncPods(entry)),
      removed: (endpoints) => this.#with(endpoints, (entry) => this.#syncPods(entry)),
    });
    this.#public = new Informer<Endpoints>(deps, EndpointsKind, {
      labelSelector: `${labels.serviceType}=Public,${labels.revision}`,
    })
      .indexBy(labels.revision)
      .handle({
        changed: (endpoints) => this.#with(endpoints, (entry) => this.#syncPlace(entry)),
        removed: () => {},
      });
    this.#witness = new StartWitness(deps, this.#revisions, (pod) =>
      this.#with(pod, (entry) => this.#syncFailure(entry)),
    );
    this.#services = new PrivateServices(deps, (service) =>
      this.#with(service, (entry) => this.#applyPods(entry)),
    );
  }

  /** Follows from now on; resolves when everything that exists is known, so that nothing is falsely unknown. */
  async start(throttle: Throttle): Promise<void> {
    this.#throttle = throttle;
    await Promise.all([
      this.#private.start(),
      this.#public.start(),
      ...(this.#options.watchesPods === false ? [] : [this.#witness.start()]),
      ...(this.#mayBeMesh ? [this.#services.start()] : []),
      this.#revisions.start(),
    ]);
  }

  get(key: RevisionKey): RevisionEntry | undefined {
    return this.#entries.get(key);
  }

  entries(): Iterable<RevisionEntry> {
    return this.#entries.values();
  }

  /** The pod is ready, though the watch may not say so yet: says somebody of our own process, who has asked it. */
  podReady(key: RevisionKey, endpoint: Endpoint): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#vouch(entry, endpoint);
  }

  /**
   * A pod says of itself that it is ready. It could name a revision that is not its own and be given others' requests, so
   * it is believed only where the watch lists it, not ready yet, among that revision's pods; and not where Kubernetes
   * alone can say so (A-54).
   */
  podClaims(key: RevisionKey, endpoint: Endpoint): void {
    const entry = this.#entries.get(key);
    if (entry?.target.isUsableBeforeReady !== true || !entry.readiness.unknown().includes(endpoint)) return;
    this.#vouch(entry, endpoint);
  }

  /** Once a second: what was vouched for and never seen is dropped, ramps go on, those who may now run do. */
  tick(now: MonoMs): void {
    for (const entry of this.#entries.values()) {
      entry.throttle.pods.relaxed();
      if (entry.unlistedSince !== undefined && now - entry.unlistedSince >= PLACE_MS_MAX) {
        entry.unlistedSince = undefined;
        entry.throttle.pods.setPlace({ kind: "unknown" });
        this.#throttle?.pump(entry);
      }
      if (entry.readiness.expire(now)) this.#applyPods(entry);
      else if (entry.throttle.held > 0) this.#throttle?.pump(entry);
    }
  }

  /** What a revision whose requests wait is missing, in words. */
  missing(entry: RevisionEntry): string {
    if (entry.throttle.pods.usableCount > 0) return "all its pods are busy or cannot be reached";
    const evidence = this.#witness.of(entry.target);
    return evidence === undefined ? "the revision is gone" : describeWait(evidence);
  }

  [Symbol.dispose](): void {
    for (const informer of [this.#revisions, this.#private, this.#public, this.#witness, this.#services])
      informer[Symbol.dispose]();
    this.#prober[Symbol.dispose]();
    for (const entry of this.#entries.values()) {
      stopTimers(entry);
      entry.throttle.pods.close();
    }
    this.#entries.clear();
  }

  #revisionChanged(revision: Stored<Revision>): void {
    const key = revisionKey(revision.metadata);
    const known = this.#entries.get(key);
    if (known !== undefined && known.uid === revision.metadata.uid) {
      known.target = revisionTarget(revision);
      known.throttle.pods.setLoadBalancing(known.target.loadBalancing);
      this.#syncFailure(known);
      return;
    }
    if (known !== undefined) this.#forget(key);
    const entry = this.#newEntry(revision);
    this.#entries.set(key, entry);
    this.#syncPlace(entry);
    this.#syncPods(entry);
  }

  #newEntry(revision: Stored<Revision>): RevisionEntry {
    const target = revisionTarget(revision);
    const pods = new PodSet({
      containerConcurrency: target.containerConcurrency,
      loadBalancing: target.loadBalancing,
      connect: (endpoint, kind) => this.#options.connect(endpoint, { namespace: target.namespace, kind }),
    });
    return newRevisionEntry({
      target,
      uid: revision.metadata.uid,
      throttle: new RevisionThrottle(pods, this.#deps.random),
      reach: new PodReach(this.#options.mesh ?? "none"),
    });
  }

  /** Those held for it are told at once; those that run finish. */
  #forget(key: RevisionKey): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    entry.isGone = true;
    this.#throttle?.failHeld(entry, unknownRevision(entry.target));
    stopTimers(entry);
    this.#prober.forget(entry);
    entry.throttle.pods.setUsable([]);
  }

  #vouch(entry: RevisionEntry, endpoint: Endpoint): void {
    entry.readiness.vouch(endpoint, this.#deps.clock.now());
    entry.throttle.pods.vouch(endpoint);
    this.#applyPods(entry);
  }

  #syncPods(entry: RevisionEntry): void {
    const { name, namespace, portName } = entry.target;
    const subsets = this.#private
      .byLabel(labels.revision, name)
      .filter((endpoints) => endpoints.metadata.namespace === namespace)
      .flatMap((endpoints) => endpoints.subsets ?? []);
    entry.readiness.update(podAddresses({ subsets }, portName));
    if (entry.readiness.isEmpty) entry.reach.emptied();
    this.#applyPods(entry);
  }

  /** Trackers first, then the capacity they bring, then who waits for it. */
  #applyPods(entry: RevisionEntry): void {
    const { readiness, reach, throttle } = entry;
    const service = reach.kind === "service" ? this.#services.addressOf(entry.target) : undefined;
    if (service !== undefined) throttle.pods.setService(service, readiness.readyCount);
    else throttle.pods.setUsable(reach.kind === "pods" ? readiness.usable() : []);
    this.#throttle?.pump(entry);
    this.#syncFailure(entry);
    this.#prober.sync(entry);
  }

  #answered(entry: RevisionEntry, pod: Endpoint, answer: PodAnswer): void {
    const next = entry.reach.answered(answer);
    if (answer === "ready") this.#vouch(entry, pod);
    else if (next === "ask-service") void this.#askService(entry);
  }

  /** Nothing comes through to the pods: does anything to their Service? A-59 */
  async #askService(entry: RevisionEntry): Promise<void> {
    const address = this.#services.addressOf(entry.target);
    if (address === undefined) return;
    const answer = await this.#prober.askService(entry, address);
    if (!entry.isGone && entry.reach.serviceAnswered(answer)) this.#applyPods(entry);
  }

  get #mayBeMesh(): boolean {
    return this.#options.mesh === "service" || this.#options.mesh === "auto";
  }

  #syncPlace(entry: RevisionEntry): void {
    const { name, namespace, portName } = entry.target;
    for (const endpoints of this.#public.byLabel(labels.revision, name)) {
      if (endpoints.metadata.namespace !== namespace) continue;
      const place = activatorPlace(endpoints, { portName, podIp: this.#options.podIp });
      if (place === undefined) {
        entry.unlistedSince ??= this.#deps.clock.now();
        continue;
      }
      entry.unlistedSince = undefined;
      entry.throttle.pods.setPlace(place);
      if (entry.reach.kind === "service") this.#applyPods(entry);
      else this.#throttle?.pump(entry);
    }
  }

  #syncFailure(entry: RevisionEntry): void {
    const evidence = entry.throttle.pods.usableCount > 0 ? undefined : this.#witness.of(entry.target);
    entry.failure = evidence === undefined ? undefined : startFailure(evidence);
    if (entry.failure !== undefined && entry.throttle.held > 0) {
      this.#throttle?.failHeld(entry, cannotStart(entry.target, entry.failure));
    }
  }

  #with(object: Stored<KubeObject>, use: (entry: RevisionEntry) => void): void {
    const name = object.metadata.labels?.[labels.revision];
    if (name === undefined) return;
    const entry = this.#entries.get(revisionKey({ namespace: object.metadata.namespace, name }));
    if (entry !== undefined) use(entry);
  }
}
