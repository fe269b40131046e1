import type { Clock, MonoMs } from "../../clock/clock.ts";
import { SYSTEM_NAMESPACE } from "../../knative/names.ts";
import type { Logger } from "../../log/logger.ts";
import { isKubeError, type KubeClient } from "../client.ts";
import { type Lease, LeaseKind } from "../kinds/coordination.ts";
import { apiVersion, type Stored } from "../object.ts";
import { type ElectionConfig, heldSpec, leaseStep, type Observed, releasedSpec } from "./lease-record.ts";

export interface LeaseElectionsDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** A Lease was won: what it stands for is ours alone until `onLost`. */
  readonly onWon: (lease: string) => void;
  readonly onLost: (lease: string) => void;
}

interface Election {
  observed: Observed | undefined;
  /** When the last renewal that succeeded was sent; absent while it is not ours. */
  heldSince: MonoMs | undefined;
  timer: Disposable | undefined;
  /** It stops being ours by this, whatever the calls under way are doing. */
  deadline: Disposable | undefined;
}

/** Runs for Leases of the system namespace, keeps those it wins, and gives them back at the end. S-130, S-132. */
export class LeaseElections implements AsyncDisposable {
  readonly #deps: LeaseElectionsDeps;
  readonly #me: string;
  readonly #config: ElectionConfig;
  readonly #elections = new Map<string, Election>();
  #isClosed = false;

  constructor(deps: LeaseElectionsDeps, me: string, config: ElectionConfig) {
    this.#deps = deps;
    this.#me = me;
    this.#config = config;
  }

  start(names: readonly string[]): void {
    for (const name of names) {
      const election: Election = {
        observed: undefined,
        heldSince: undefined,
        timer: undefined,
        deadline: undefined,
      };
      this.#elections.set(name, election);
      void this.#run(name, election);
    }
  }

  holds(name: string): boolean {
    return this.#elections.get(name)?.heldSince !== undefined;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const held = [...this.#elections].filter(([, { heldSince }]) => heldSince !== undefined);
    for (const { timer, deadline } of this.#elections.values()) {
      timer?.[Symbol.dispose]();
      deadline?.[Symbol.dispose]();
    }
    await Promise.all(held.map(([name, election]) => this.#release(name, election)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(name: string, election: Election): Promise<void> {
    try {
      const sentAt = await this.#hold(name, election);
      if (sentAt === undefined) this.#lost(name, election);
      else this.#won(name, election, sentAt);
    } catch (error) {
      // Somebody was faster, or the API is away: what we hold is ours until its deadline.
      if (!isKubeError(error, "Conflict") && !isKubeError(error, "AlreadyExists")) {
        this.#deps.log.warn("lease not renewed", { lease: name, error: String(error) });
      }
    }
    if (this.#isClosed) return;
    const delayMs = this.#config.retryPeriodMs;
    election.timer = this.#deps.clock.after(delayMs, () => void this.#run(name, election));
  }

  /** When the write was sent that makes the Lease ours; `undefined` if it is another's. */
  async #hold(name: string, election: Election): Promise<MonoMs | undefined> {
    const { client, clock } = this.#deps;
    const lease = await this.#read(name);
    const sentAt = clock.now();
    if (lease === undefined) {
      await client.create(LeaseKind, {
        apiVersion: apiVersion(LeaseKind),
        kind: LeaseKind.kind,
        metadata: { namespace: SYSTEM_NAMESPACE, name },
        spec: heldSpec(undefined, this.#me, this.#config, clock.wall()),
      });
      return sentAt;
    }
    const { observed } = election;
    const isSame =
      observed?.spec.holderIdentity === lease.spec.holderIdentity &&
      observed?.spec.renewTime === lease.spec.renewTime;
    election.observed =
      isSame && observed !== undefined ? observed : { spec: lease.spec, since: clock.now() };
    if (leaseStep(election.observed, this.#me, clock.now()) === "wait") return undefined;
    await client.update(LeaseKind, {
      ...lease,
      spec: heldSpec(lease.spec, this.#me, this.#config, clock.wall()),
    });
    return sentAt;
  }

  async #read(name: string): Promise<Stored<Lease> | undefined> {
    try {
      return await this.#deps.client.get(LeaseKind, { namespace: SYSTEM_NAMESPACE, name });
    } catch (error) {
      if (isKubeError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  /**
   * Ours until the renewal deadline after the write was sent: others count the Lease's whole duration from when they saw
   * it, which is later, so nobody else has it before we have let go, even while our own calls hang.
   */
  #won(name: string, election: Election, sentAt: MonoMs): void {
    if (this.#isClosed) return;
    const isNew = election.heldSince === undefined;
    const { clock, onWon } = this.#deps;
    const leftMs = this.#config.renewDeadlineMs - (clock.now() - sentAt);
    if (leftMs <= 0) return;
    election.heldSince = sentAt;
    election.deadline?.[Symbol.dispose]();
    election.deadline = clock.after(leftMs, () => this.#lost(name, election));
    if (isNew) onWon(name);
  }

  #lost(name: string, election: Election): void {
    election.deadline?.[Symbol.dispose]();
    if (election.heldSince === undefined) return;
    election.heldSince = undefined;
    this.#deps.onLost(name);
  }

  async #release(name: string, election: Election): Promise<void> {
    election.heldSince = undefined;
    try {
      const lease = await this.#read(name);
      if (lease?.spec.holderIdentity !== this.#me) return;
      const spec = releasedSpec(lease.spec, this.#deps.clock.wall());
      await this.#deps.client.update(LeaseKind, { ...lease, spec });
    } catch (error) {
      this.#deps.log.warn("lease not given back", { lease: name, error: String(error) });
    }
  }
}
