import type { Endpoint, MonoMs } from "@rouse/shared";
import type { PodAddresses } from "./endpoints-view.ts";

/** How long a push is believed while no watch has ever shown the pod. The watch is normally milliseconds behind. */
const PUSH_TRUST_MS = 3_000;

/** A pod said to be ready before the watch did. */
interface Vouched {
  readonly at: MonoMs;
  /** The watch knows the pod, if only as not ready: from then on, gone from the watch means gone. */
  isListed: boolean;
}

/**
 * Which pods of one revision may be used: those the watch calls ready, and those somebody vouched for before it did,
 * by a push or by answering our own probe. The watch has the last word: once it has called a pod ready, a pod it calls
 * not ready again is not used.
 */
export class PodReadiness {
  #addresses: PodAddresses = { ready: new Set(), notReady: new Set() };
  readonly #vouched = new Map<Endpoint, Vouched>();

  /** What the watch says now. */
  update(addresses: PodAddresses): void {
    this.#addresses = addresses;
    for (const [endpoint, vouched] of this.#vouched) {
      const isNotReady = addresses.notReady.has(endpoint);
      if (addresses.ready.has(endpoint)) this.#vouched.delete(endpoint);
      else if (isNotReady) vouched.isListed = true;
      else if (vouched.isListed) this.#vouched.delete(endpoint);
    }
  }

  /** The pod is ready, says somebody who asked it. */
  vouch(endpoint: Endpoint, now: MonoMs): void {
    if (this.#addresses.ready.has(endpoint)) return;
    this.#vouched.set(endpoint, { at: now, isListed: this.#addresses.notReady.has(endpoint) });
  }

  /** Drops what was vouched for long ago and never seen. Returns whether that changed anything. */
  expire(now: MonoMs): boolean {
    let isChanged = false;
    for (const [endpoint, { at, isListed }] of this.#vouched) {
      if (isListed || now - at < PUSH_TRUST_MS) continue;
      this.#vouched.delete(endpoint);
      isChanged = true;
    }
    return isChanged;
  }

  /** As many as the watch calls ready. */
  get readyCount(): number {
    return this.#addresses.ready.size;
  }

  /** Neither the watch nor anybody else knows of one. */
  get isEmpty(): boolean {
    return this.#addresses.ready.size + this.#addresses.notReady.size + this.#vouched.size === 0;
  }

  usable(): Endpoint[] {
    return [...this.#addresses.ready, ...this.#vouched.keys()];
  }

  /** Listed, not ready, and nobody has vouched for them. */
  unknown(): Endpoint[] {
    return [...this.#addresses.notReady].filter((endpoint) => !this.#vouched.has(endpoint));
  }
}
