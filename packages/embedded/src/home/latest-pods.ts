import type { Endpoint, ObjectKey } from "@rouse/shared";

/** As many as have timelines. */
const PODS_MAX = 1_000;

/** Which pod was last at an endpoint. Of the latest thousand; the oldest is forgotten. */
export class LatestPods {
  readonly #pods = new Map<Endpoint, ObjectKey>();

  set(endpoint: Endpoint, pod: ObjectKey): void {
    this.#pods.delete(endpoint); // the latest goes last
    this.#pods.set(endpoint, pod);
    if (this.#pods.size <= PODS_MAX) return;
    for (const oldest of this.#pods.keys()) {
      this.#pods.delete(oldest);
      return;
    }
  }

  get(endpoint: Endpoint): ObjectKey | undefined {
    return this.#pods.get(endpoint);
  }
}
