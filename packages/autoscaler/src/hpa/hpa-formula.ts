/** A load this close to its target changes nothing. `--horizontal-pod-autoscaler-tolerance`. */
const TOLERANCE = 0.1;
/** Without rules of its own a scale-up may add this much each period. */
const UP_PODS = 4;
const UP_FACTOR = 2;

/** One pod as the HPA looks at it; pods that are being deleted or have failed are not among them. */
export type MeasuredPod = {
  /** What it asked for, for utilisation; in the metric's own unit. */
  readonly request: number | undefined;
} & (
  | { readonly kind: "measured"; readonly value: number }
  /** It runs, and nobody knows what it uses. */
  | { readonly kind: "missing" }
  /** It is not there yet, so what it uses says nothing of the load. */
  | { readonly kind: "starting" }
);

/** What a metric aims at. */
export type HpaTarget =
  /** Percent of what the pods asked for. */
  | { readonly kind: "utilization"; readonly percent: number }
  | { readonly kind: "average"; readonly value: number };

export type Recommendation =
  | { readonly kind: "replicas"; readonly replicas: number }
  /** Nothing can be said, so nothing is changed. */
  | { readonly kind: "unknown"; readonly message: string };

interface Load {
  readonly value: number;
  readonly request: number | undefined;
}

/**
 * `ceil(pods × load / target)`, unless the load is within a tenth of the target. Pods nobody knows about count against
 * a change: as at their target when there would be fewer pods, as idle when there would be more. Pods that start count
 * as idle when there would be more, and not at all when there would be fewer. If that turns the change around there is
 * none.
 * Source: Kubernetes, "Horizontal Pod Autoscaling", algorithm details.
 */
export function recommend(replicas: number, target: HpaTarget, pods: readonly MeasuredPod[]): Recommendation {
  if (pods.length === 0) return { kind: "unknown", message: "no pods to look at" };
  if (target.kind === "utilization" && pods.some(({ request }) => request === undefined)) {
    return { kind: "unknown", message: "missing request for the resource in a container" };
  }
  const known = pods.flatMap((pod) => (pod.kind === "measured" ? [pod] : []));
  if (known.length === 0) return { kind: "unknown", message: "no metrics of a ready pod" };
  const ratio = ratioOf(target, known);
  const isUp = ratio > 1;
  const assumed = pods.flatMap((pod) => assumedLoad(pod, target, isUp));
  const counted: readonly Load[] = [...known, ...assumed];
  const cautious = assumed.length === 0 ? ratio : ratioOf(target, counted);
  const isTurned = isUp ? cautious < 1 : cautious > 1;
  if (isTurned || Math.abs(cautious - 1) <= TOLERANCE) return { kind: "replicas", replicas };
  const wanted = Math.ceil(cautious * counted.length);
  if (assumed.length === 0) return { kind: "replicas", replicas: wanted };
  // More pods to look at than before must not make a change smaller than none.
  return { kind: "replicas", replicas: isUp ? Math.max(wanted, replicas) : Math.min(wanted, replicas) };
}

/** What is assumed of a pod whose load is not known; nothing where it is, or where the pod is left out. */
function assumedLoad(pod: MeasuredPod, target: HpaTarget, isUp: boolean): readonly Load[] {
  const { request } = pod;
  switch (pod.kind) {
    case "measured":
      return [];
    case "missing":
      return [{ value: isUp ? 0 : atTarget(target, request), request }];
    case "starting":
      return isUp ? [{ value: 0, request }] : [];
  }
}

function ratioOf(target: HpaTarget, pods: readonly Load[]): number {
  const used = pods.reduce((sum, { value }) => sum + value, 0);
  switch (target.kind) {
    case "utilization": {
      const asked = pods.reduce((sum, { request }) => sum + (request ?? 0), 0);
      return asked === 0 ? 1 : (used * 100) / asked / target.percent;
    }
    case "average":
      return used / pods.length / target.value;
  }
}

function atTarget(target: HpaTarget, request: number | undefined): number {
  return target.kind === "utilization" ? ((request ?? 0) * target.percent) / 100 : target.value;
}

export interface HpaBounds {
  readonly min: number;
  readonly max: number;
}

/** At most four pods or twice as many more at a time, and within the bounds. */
export function limited(current: number, wanted: number, { min, max }: HpaBounds): number {
  const stepped = Math.min(wanted, Math.max(current + UP_PODS, current * UP_FACTOR));
  return Math.min(Math.max(stepped, min), max);
}

/**
 * Recommendations of the last seconds: a scale-down takes the largest of its window, a scale-up the smallest of its
 * own.
 */
export class Stabilization {
  #past: { readonly atMs: number; readonly replicas: number }[] | undefined;

  stabilized(
    current: number,
    wanted: number,
    nowMs: number,
    windows: { readonly upSeconds: number; readonly downSeconds: number },
  ): number {
    const longest = Math.max(windows.upSeconds, windows.downSeconds) * 1_000;
    // What there is when it begins counts as wanted until now.
    const past = this.#past?.filter(({ atMs }) => nowMs - atMs < longest) ?? [
      { atMs: nowMs, replicas: current },
    ];
    past.push({ atMs: nowMs, replicas: wanted });
    this.#past = past;
    const within = (seconds: number): readonly number[] => [
      wanted,
      ...past.filter(({ atMs }) => nowMs - atMs < seconds * 1_000).map(({ replicas }) => replicas),
    ];
    const upTo = Math.min(...within(windows.upSeconds));
    const downTo = Math.max(...within(windows.downSeconds));
    // In between of the two nothing moves.
    return Math.min(Math.max(current, upTo), downTo);
  }
}
