import type { ObjectKey } from "@rouse/shared";
import type { Scenario, SimService } from "./scenario.ts";
import type { SimMachine } from "./sim-machine.ts";
import { Spans } from "./spans.ts";

/** When pods could have taken more than they did, as the machine itself knows it. */
export class FreeSlots {
  readonly #machine: SimMachine;
  readonly #scenario: Scenario;
  /** Whether the API has the pod, and nobody has deleted it. */
  readonly #isKept: (pod: ObjectKey) => boolean;
  /** A request that waits in any of the activators could go to a pod of the service. */
  readonly #forAll = new Map<string, Spans>();
  /** The pod of that address has a free slot. */
  readonly #at = new Map<string, Spans>();
  /** Nothing of the service runs, starts, or waits to be started again. */
  readonly #nothing = new Map<string, Spans>();

  constructor(machine: SimMachine, scenario: Scenario, isKept: (pod: ObjectKey) => boolean) {
    this.#machine = machine;
    this.#scenario = scenario;
    this.#isKept = isKept;
    for (const { name } of scenario.services) {
      this.#forAll.set(name, new Spans());
      this.#nothing.set(name, new Spans());
    }
  }

  /** Looks at every pod now. */
  look(now: number): void {
    const seen = new Set<string>();
    for (const service of this.#scenario.services) {
      const free = this.#pods(service, seen, now);
      this.#forAll.get(service.name)?.note(this.#isFreeForAll(free), now);
      this.#nothing.get(service.name)?.note(!this.#isAnythingThere(service), now);
    }
    for (const [ip, spans] of this.#at) if (!seen.has(ip)) spans.note(false, now);
  }

  /** The longest time in which a pod could have taken a request that waits. */
  freeMs(service: string, from: number, to: number): number {
    return this.#forAll.get(service)?.longestMs(from, to) ?? 0;
  }

  /** The longest time in which this very pod could have begun one more. */
  freeAtMs(ip: string, from: number, to: number): number {
    return this.#at.get(ip)?.longestMs(from, to) ?? 0;
  }

  /** The longest time in which nobody did anything about the service's requests. */
  nothingMs(service: string, from: number, to: number): number {
    return this.#nothing.get(service)?.longestMs(from, to) ?? 0;
  }

  /** Of each pod that is listed, whether it has a free slot. One that hangs is listed until it is found out. */
  #pods({ name, containerConcurrency }: SimService, seen: Set<string>, now: number): readonly boolean[] {
    const free: boolean[] = [];
    for (const { key, process } of this.#machine.podsOf(name)) {
      const sidecar = this.#machine.sidecars.get(key);
      if (sidecar === undefined || !this.#isKept(key) || !(process.isUp || process.isHung)) continue;
      const hasSlot = containerConcurrency === 0 || process.running < containerConcurrency;
      const isFree = hasSlot && !process.isHung;
      free.push(isFree);
      const { ip } = sidecar.address;
      const spans = this.#at.get(ip) ?? new Spans();
      this.#at.set(ip, spans);
      spans.note(isFree, now);
      seen.add(ip);
    }
    return free;
  }

  /**
   * Activators share pods out: each has `floor(pods / activators)` of its own at least, or shares one where there are
   * fewer. So many free ones that one of them must be in every share are free for everybody.
   */
  #isFreeForAll(free: readonly boolean[]): boolean {
    const count = free.filter(Boolean).length;
    if (count === 0) return false;
    const shareMin = Math.floor(free.length / this.#scenario.activators);
    return count > free.length - shareMin || count === free.length;
  }

  #isAnythingThere({ name }: SimService): boolean {
    // What crashed while its pod is there is started again by the kubelet, later each time.
    return this.#machine.podsOf(name).some(({ key }) => this.#isKept(key));
  }
}
