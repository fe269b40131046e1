import {
  apiVersion,
  type Clock,
  isKubeError,
  type KubeClient,
  type Lease,
  LeaseKind,
  type Logger,
  type MonoMs,
  type Stored,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import { type ElectionConfig, heldSpec, leaseStep, type Observed, releasedSpec } from "./lease-record.ts";

export interface LeaseElectionsDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** A Lease was won. Rejected, the process has no use any more. S-136. */
  readonly onWon: (bucket: string) => void;
  readonly onLost: (bucket: string) => void;
}

interface Election {
  observed: Observed | undefined;
  /** When our Lease was last renewed; absent while it is not ours. */
  heldSince: MonoMs | undefined;
  timer: Disposable | undefined;
}

/** Runs for every bucket's Lease, keeps those it wins, and gives them back at the end. S-130, S-132. */
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

  start(buckets: readonly string[]): void {
    for (const bucket of buckets) {
      const election: Election = { observed: undefined, heldSince: undefined, timer: undefined };
      this.#elections.set(bucket, election);
      void this.#run(bucket, election);
    }
  }

  holds(bucket: string): boolean {
    return this.#elections.get(bucket)?.heldSince !== undefined;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const held = [...this.#elections].filter(([, { heldSince }]) => heldSince !== undefined);
    for (const { timer } of this.#elections.values()) timer?.[Symbol.dispose]();
    await Promise.all(held.map(([bucket, election]) => this.#release(bucket, election)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(bucket: string, election: Election): Promise<void> {
    try {
      if (await this.#hold(bucket, election)) this.#won(bucket, election);
      else this.#lost(bucket, election);
    } catch (error) {
      // Somebody was faster, or the API is away: what we hold is ours until its deadline.
      if (!isKubeError(error, "Conflict") && !isKubeError(error, "AlreadyExists")) {
        this.#deps.log.warn("lease not renewed", { bucket, error: String(error) });
      }
      this.#loseIfOverdue(bucket, election);
    }
    if (this.#isClosed) return;
    const delayMs = this.#config.retryPeriodMs;
    election.timer = this.#deps.clock.after(delayMs, () => void this.#run(bucket, election));
  }

  /** Whether the Lease is ours now. */
  async #hold(bucket: string, election: Election): Promise<boolean> {
    const { client, clock } = this.#deps;
    const lease = await this.#read(bucket);
    if (lease === undefined) {
      await client.create(LeaseKind, {
        apiVersion: apiVersion(LeaseKind),
        kind: LeaseKind.kind,
        metadata: { namespace: SYSTEM_NAMESPACE, name: bucket },
        spec: heldSpec(undefined, this.#me, this.#config, clock.wall()),
      });
      return true;
    }
    const { observed } = election;
    const isSame =
      observed?.spec.holderIdentity === lease.spec.holderIdentity &&
      observed?.spec.renewTime === lease.spec.renewTime;
    election.observed =
      isSame && observed !== undefined ? observed : { spec: lease.spec, since: clock.now() };
    if (leaseStep(election.observed, this.#me, clock.now()) === "wait") return false;
    await client.update(LeaseKind, {
      ...lease,
      spec: heldSpec(lease.spec, this.#me, this.#config, clock.wall()),
    });
    return true;
  }

  async #read(bucket: string): Promise<Stored<Lease> | undefined> {
    try {
      return await this.#deps.client.get(LeaseKind, { namespace: SYSTEM_NAMESPACE, name: bucket });
    } catch (error) {
      if (isKubeError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  #won(bucket: string, election: Election): void {
    const isNew = election.heldSince === undefined;
    election.heldSince = this.#deps.clock.now();
    if (isNew && !this.#isClosed) this.#deps.onWon(bucket);
  }

  #lost(bucket: string, election: Election): void {
    if (election.heldSince === undefined) return;
    election.heldSince = undefined;
    this.#deps.onLost(bucket);
  }

  #loseIfOverdue(bucket: string, election: Election): void {
    const { heldSince } = election;
    if (heldSince === undefined) return;
    if (this.#deps.clock.now() - heldSince >= this.#config.renewDeadlineMs) this.#lost(bucket, election);
  }

  async #release(bucket: string, election: Election): Promise<void> {
    election.heldSince = undefined;
    try {
      const lease = await this.#read(bucket);
      if (lease?.spec.holderIdentity !== this.#me) return;
      const spec = releasedSpec(lease.spec, this.#deps.clock.wall());
      await this.#deps.client.update(LeaseKind, { ...lease, spec });
    } catch (error) {
      this.#deps.log.warn("lease not given back", { bucket, error: String(error) });
    }
  }
}
