import type { Clock, Logger, Random } from "@rouse/shared";
import { inheritedEnvironment } from "./config.ts";
import { canUseLoopbackRange } from "./pod-addresses.ts";
import type { PodWorkerDeps } from "./pod-worker.ts";
import { PortPool } from "./port-pool.ts";
import { INSTANCE_VARIABLE, ProcessRecords } from "./process-records.ts";
import type { ProcessRunner } from "./process-runner.ts";
import { reapOrphans } from "./reap-orphans.ts";
import { SpawnHelper } from "./spawn-helper.ts";

/** Ports kept in reserve: a burst of this many pods starts without waiting for one. */
const PORTS_RESERVED = 16;

export interface MachineDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Real processes, started by a helper, unless given. */
  readonly runner?: ProcessRunner;
}

export interface MachineOptions {
  /** Where processes are recorded, so that the next start can end what a killed platform left. */
  readonly dataDirectory: string;
  /** Whether pods get addresses of their own; found out by trying unless given. */
  readonly hasPodAddresses?: boolean;
}

/** Ports, addresses and records of processes: what pods take from the machine they run on. */
export type Machine = Pick<PodWorkerDeps, "ports" | "records" | "inherited" | "runner"> & {
  readonly hasPodAddresses: boolean;
};

/** Ends what an earlier platform left on this machine and takes what pods need of it, to be released by `held`. */
export async function takeMachine(
  deps: MachineDeps,
  options: MachineOptions,
  held: AsyncDisposableStack,
): Promise<Machine> {
  const { killed } = await reapOrphans(options.dataDirectory);
  if (killed.length > 0) deps.log.info("ended processes of an earlier run", { count: killed.length });
  const records = ProcessRecords.open(options.dataDirectory);
  const inherited = inheritedEnvironment();
  const environment = { ...Object.fromEntries(inherited), [INSTANCE_VARIABLE]: records.instance };
  const runner = deps.runner ?? held.use(await SpawnHelper.start(deps, { environment }));
  const ports = held.use(await PortPool.start(deps, { size: PORTS_RESERVED }));
  const hasPodAddresses = options.hasPodAddresses ?? (await canUseLoopbackRange());
  return { records, inherited, runner, ports, hasPodAddresses };
}
