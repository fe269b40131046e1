import type { MonoMs, ObjectKey } from "@rouse/shared";

/** When a pod reached each phase of its cold start; a phase not reached is absent. */
export interface PodTimeline {
  /** Its creation was decided. Known when the Deployment controller tells. */
  readonly created?: MonoMs;
  /** The kubelet saw it. */
  readonly seen?: MonoMs;
  /** Its process was started. */
  readonly spawned?: MonoMs;
  /** Its port accepted a connection; no later than `ready` where the sidecar does not tell. */
  readonly portOpen?: MonoMs;
  /** It passed its readiness probe. */
  readonly ready?: MonoMs;
}

export type PodPhase = keyof PodTimeline;

/** The timelines of the latest pods, living or not. */
export class PodTimelines {
  readonly #max: number;
  readonly #timelines = new Map<ObjectKey, PodTimeline>();

  constructor(max: number) {
    this.#max = max;
  }

  /** The first time counts: a restart does not move a stamp. */
  stamp(pod: ObjectKey, phase: PodPhase, at: MonoMs): void {
    const known = this.#timelines.get(pod);
    if (known?.[phase] !== undefined) return;
    this.#timelines.set(pod, { ...known, [phase]: at });
    if (this.#timelines.size > this.#max) {
      for (const oldest of this.#timelines.keys()) {
        this.#timelines.delete(oldest);
        break;
      }
    }
  }

  get(pod: ObjectKey): PodTimeline | undefined {
    return this.#timelines.get(pod);
  }
}
