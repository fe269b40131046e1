import { type Endpoint, endpoint } from "@rouse/shared";

/** One pod of a simulated revision. */
export interface SimPod {
  readonly endpoint: Endpoint;
  readonly createdAtMs: number;
  state: "starting" | "ready" | "leaving";
  inFlight: number;
  busySinceMs: number;
}

/** The pods of a simulated revision: which there are, and what their time adds up to. */
export class SimulatedPods {
  readonly #pods = new Map<Endpoint, SimPod>();
  #starting = 0;
  #ready = 0;
  #started = 0;
  #max = 0;
  #podMs = 0;
  #busyMs = 0;

  get starting(): number {
    return this.#starting;
  }

  get ready(): number {
    return this.#ready;
  }

  /** Those on their way out among them. */
  get count(): number {
    return this.#pods.size;
  }

  /** Ever started. */
  get started(): number {
    return this.#started;
  }

  /** Starting and ready at one time, at most. */
  get max(): number {
    return this.#max;
  }

  /** Of all together, with work to do. */
  get busyMs(): number {
    return this.#busyMs;
  }

  get(at: Endpoint): SimPod | undefined {
    return this.#pods.get(at);
  }

  /** Of all together, from creation to end, or to `now`. */
  totalMs(now: number): number {
    let total = this.#podMs;
    for (const pod of this.#pods.values()) total += now - pod.createdAtMs;
    return total;
  }

  start(now: number): SimPod {
    const number = this.#started++;
    const ip = `127.16.${Math.floor(number / 250) % 250}.${(number % 250) + 1}`;
    const pod: SimPod = {
      endpoint: endpoint({ ip, port: 8_000 + (Math.floor(number / 62_500) % 1_000) }),
      createdAtMs: now,
      state: "starting",
      inFlight: 0,
      busySinceMs: 0,
    };
    this.#pods.set(pod.endpoint, pod);
    this.#starting++;
    this.#max = Math.max(this.#max, this.#starting + this.#ready);
    return pod;
  }

  /** Whether it still was to become ready. */
  becomeReady(pod: SimPod): boolean {
    if (pod.state !== "starting") return false;
    pod.state = "ready";
    this.#starting--;
    this.#ready++;
    return true;
  }

  took(pod: SimPod, now: number): void {
    if (pod.inFlight++ === 0) pod.busySinceMs = now;
  }

  ended(pod: SimPod, now: number): void {
    if (--pod.inFlight > 0) return;
    this.#busyMs += now - pod.busySinceMs;
    if (pod.state === "leaving") this.#end(pod, now);
  }

  /** Those not yet ready go first, then the least busy, which end what they have. */
  remove(count: number, now: number): void {
    const candidates = [...this.#pods.values()]
      .filter(({ state }) => state !== "leaving")
      .sort((a, b) => rank(a) - rank(b) || b.createdAtMs - a.createdAtMs);
    for (const pod of candidates.slice(0, count)) {
      if (pod.state === "starting") this.#starting--;
      else this.#ready--;
      pod.state = "leaving";
      if (pod.inFlight === 0) this.#end(pod, now);
    }
  }

  readyEndpoints(): readonly Endpoint[] {
    return [...this.#pods.values()].filter(({ state }) => state === "ready").map((pod) => pod.endpoint);
  }

  #end(pod: SimPod, now: number): void {
    this.#pods.delete(pod.endpoint);
    this.#podMs += now - pod.createdAtMs;
  }
}

function rank(pod: SimPod): number {
  return pod.state === "starting" ? -1 : pod.inFlight;
}
