/** What a rollout decision needs to know of one pod that is neither terminating nor finished. */
export interface RolloutPod {
  readonly name: string;
  /** Made from the template the Deployment has now. */
  readonly isCurrent: boolean;
  readonly isReady: boolean;
  /** Requests it has now; 0 when nobody knows. */
  readonly inFlight: number;
  /** Creation, RFC 3339: sorts as text. */
  readonly createdAt: string;
}

export interface RolloutTarget {
  readonly replicas: number;
  /** Pods beyond `replicas` while a new template is rolled out. */
  readonly maxSurge: number;
  /** Pods that may be missing from `replicas` meanwhile. */
  readonly maxUnavailable: number;
}

export interface RolloutPlan {
  readonly create: number;
  /** Names, in the order to delete them. */
  readonly remove: readonly string[];
}

/**
 * One step from the pods there are towards the pods there should be. Without pods of an older template it is plain
 * scaling; with them it is a rolling replacement that never goes above `replicas + maxSurge` nor, by its own doing,
 * below `replicas - maxUnavailable` ready pods.
 * Source: kubernetes pkg/controller/deployment/rolling.go, `NewRSNewReplicas`, `cleanupUnhealthyReplicas`.
 */
export function planRollout(pods: readonly RolloutPod[], target: RolloutTarget): RolloutPlan {
  const current = pods.filter((pod) => pod.isCurrent);
  const old = pods.filter((pod) => !pod.isCurrent);
  const room = old.length === 0 ? target.replicas : target.replicas + target.maxSurge;
  const create = Math.max(0, Math.min(target.replicas - current.length, room - pods.length));
  const surplus = current.length - target.replicas;
  const scaledDown = surplus > 0 ? [...current].sort(byLeastLoss).slice(0, surplus) : [];
  return { create, remove: [...oldToRemove(old, current, target), ...scaledDown].map((pod) => pod.name) };
}

function oldToRemove(
  old: readonly RolloutPod[],
  current: readonly RolloutPod[],
  target: RolloutTarget,
): readonly RolloutPod[] {
  if (old.length === 0) return [];
  if (target.replicas === 0) return [...old].sort(byLeastLoss);
  const needed = target.replicas - target.maxUnavailable;
  const starting = current.filter((pod) => !pod.isReady).length;
  const spare = old.length + current.length - needed - starting;
  if (spare <= 0) return [];
  const unready = old.filter((pod) => !pod.isReady).slice(0, spare);
  const ready = old.filter((pod) => pod.isReady);
  const spareReady = ready.length + current.filter((pod) => pod.isReady).length - needed;
  const removable = Math.max(0, Math.min(spareReady, spare - unready.length));
  return [...unready, ...ready.sort(byLeastLoss).slice(0, removable)];
}

/** Not ready before ready, then fewest requests in flight, then youngest; by name where all that is equal. */
export function byLeastLoss(a: RolloutPod, b: RolloutPod): number {
  if (a.isReady !== b.isReady) return a.isReady ? 1 : -1;
  if (a.inFlight !== b.inFlight) return a.inFlight - b.inFlight;
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1;
  return a.name < b.name ? -1 : 1;
}

/** A count or a percentage of `replicas`, as `maxSurge` and `maxUnavailable` are written. */
export function resolveShare(share: unknown, replicas: number, round: "up" | "down"): number | undefined {
  if (typeof share === "number" && Number.isInteger(share) && share >= 0) return share;
  const percent = typeof share === "string" ? /^(\d+)%$/.exec(share)?.[1] : undefined;
  if (percent === undefined) return undefined;
  const exact = (replicas * Number(percent)) / 100;
  return round === "up" ? Math.ceil(exact) : Math.floor(exact);
}

/** Limits of a rolling update from `spec.strategy`; 25 % each where it is silent, as in Kubernetes. */
export function rolloutTarget(strategy: unknown, replicas: number): RolloutTarget {
  const rolling = field(strategy, "rollingUpdate");
  if (field(strategy, "type") === "Recreate") return { replicas, maxSurge: 0, maxUnavailable: replicas };
  const maxSurge = resolveShare(field(rolling, "maxSurge") ?? "25%", replicas, "up") ?? 0;
  const maxUnavailable = resolveShare(field(rolling, "maxUnavailable") ?? "25%", replicas, "down") ?? 0;
  // Both zero would never move; Kubernetes then allows one pod to be missing.
  return maxSurge === 0 && maxUnavailable === 0
    ? { replicas, maxSurge, maxUnavailable: 1 }
    : { replicas, maxSurge, maxUnavailable };
}

function field(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined;
}
