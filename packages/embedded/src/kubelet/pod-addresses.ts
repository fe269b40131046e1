import { createServer } from "node:net";
import type { Random } from "@rouse/shared";

/** The second part of 127.x.y.z is drawn once per home from here, so that two homes seldom meet. */
const SECOND_MIN = 16;
const SECOND_MAX = 250;
/** Addresses per home before the first is used again. */
const ADDRESSES = 254 * 254;

/**
 * Loopback addresses for pods: each its own where the whole of 127.0.0.0/8 can be bound (Linux), else all the same
 * one. They are walked in order, so an address comes back only after tens of thousands of others.
 */
export class PodAddresses {
  /** Whether each pod has an address of its own. Otherwise pods differ by port. */
  readonly isPerPod: boolean;
  readonly #second: number;
  #next = 0;
  readonly #used = new Set<string>();

  constructor(random: Random, options: { readonly isPerPod: boolean }) {
    this.isPerPod = options.isPerPod;
    this.#second = random.integer(SECOND_MIN, SECOND_MAX);
  }

  take(): string {
    if (!this.isPerPod) return "127.0.0.1";
    for (let tries = 0; tries < ADDRESSES; tries++) {
      const at = this.#next;
      this.#next = (at + 1) % ADDRESSES;
      const ip = `127.${this.#second}.${Math.floor(at / 254) + 1}.${(at % 254) + 1}`;
      if (this.#used.has(ip)) continue;
      this.#used.add(ip);
      return ip;
    }
    throw new Error("every pod address is in use");
  }

  release(ip: string): void {
    this.#used.delete(ip);
  }
}

/** Whether this system lets one listen on any 127.x.y.z without set-up. */
export function canUseLoopbackRange(): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port: 0, host: "127.0.0.2" }, () => server.close(() => resolve(true)));
  });
}
