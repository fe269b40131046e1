import {
  findCondition,
  type InformerHandler,
  labels,
  type Pod,
  parseRfc3339,
  type RevisionKey,
  revisionKey,
  type Stored,
} from "@rouse/shared";

/** Pods of one revision by state. S-117. */
export interface PodCounts {
  readonly ready: number;
  readonly notReady: number;
  readonly pending: number;
  readonly terminating: number;
}

/** A pod that may be asked for its load. S-45. */
export interface ReadyPod {
  readonly namespace: string;
  readonly name: string;
  readonly ip: string;
  /** Wall-clock milliseconds; `undefined` if the pod does not say. */
  readonly startedAt: number | undefined;
  readonly deletionCost: string | undefined;
}

/** Which pods Kubernetes removes first: those of the lowest. */
export const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";

const none: PodCounts = { ready: 0, notReady: 0, pending: 0, terminating: 0 };

interface Entry {
  readonly pods: Map<string, Stored<Pod>>;
  counts: PodCounts;
}

/**
 * Pods by revision, kept by an informer of all pods with the revision label. A revision without pods costs nothing
 * here. `onChange` is told when a revision's counts change, not of every heartbeat.
 */
export class PodLedger implements InformerHandler<Pod> {
  readonly #revisions = new Map<RevisionKey, Entry>();
  readonly #onChange: (revision: RevisionKey) => void;

  constructor(onChange: (revision: RevisionKey) => void) {
    this.#onChange = onChange;
  }

  changed(pod: Stored<Pod>): void {
    const revision = revisionOf(pod);
    if (revision === undefined) return;
    const entry = this.#revisions.get(revision) ?? { pods: new Map(), counts: none };
    this.#revisions.set(revision, entry);
    entry.pods.set(pod.metadata.name, pod);
    this.#recount(revision, entry);
  }

  removed(pod: Stored<Pod>): void {
    const revision = revisionOf(pod);
    const entry = revision === undefined ? undefined : this.#revisions.get(revision);
    if (revision === undefined || entry === undefined) return;
    entry.pods.delete(pod.metadata.name);
    if (entry.pods.size === 0) this.#revisions.delete(revision);
    this.#recount(revision, entry);
  }

  counts(revision: RevisionKey): PodCounts {
    return this.#revisions.get(revision)?.counts ?? none;
  }

  /** Ready pods that have an address. */
  readyPods(revision: RevisionKey): readonly ReadyPod[] {
    const ready: ReadyPod[] = [];
    for (const pod of this.#revisions.get(revision)?.pods.values() ?? []) {
      const ip = pod.status?.podIP;
      if (stateOf(pod) !== "ready" || ip === undefined) continue;
      const { namespace, name } = pod.metadata;
      const startTime = pod.status?.startTime;
      ready.push({
        namespace,
        name,
        ip,
        startedAt: startTime === undefined ? undefined : parseRfc3339(startTime),
        deletionCost: pod.metadata.annotations?.[DELETION_COST],
      });
    }
    return ready;
  }

  #recount(revision: RevisionKey, entry: Entry): void {
    const before = entry.counts;
    entry.counts = countPods(entry.pods.values());
    if (!isSame(before, entry.counts)) this.#onChange(revision);
  }
}

/** S-117. */
export function countPods(pods: Iterable<Pod>): PodCounts {
  const counts = { ready: 0, notReady: 0, pending: 0, terminating: 0 };
  for (const pod of pods) {
    const state = stateOf(pod);
    if (state === "ignored") continue;
    if (state === "ready") counts.ready++;
    else counts.notReady++;
    if (state === "pending" || state === "terminating") counts[state]++;
  }
  return counts;
}

function stateOf(pod: Pod): "ready" | "not-ready" | "pending" | "terminating" | "ignored" {
  switch (pod.status?.phase) {
    case "Pending":
      return "pending";
    case "Running":
      if (pod.metadata.deletionTimestamp !== undefined) return "terminating";
      return findCondition(pod.status.conditions, "Ready")?.status === "True" ? "ready" : "not-ready";
    default:
      return "ignored";
  }
}

function revisionOf(pod: Stored<Pod>): RevisionKey | undefined {
  const name = pod.metadata.labels?.[labels.revision];
  return name === undefined ? undefined : revisionKey({ namespace: pod.metadata.namespace, name });
}

function isSame(a: PodCounts, b: PodCounts): boolean {
  return (
    a.ready === b.ready &&
    a.notReady === b.notReady &&
    a.pending === b.pending &&
    a.terminating === b.terminating
  );
}
