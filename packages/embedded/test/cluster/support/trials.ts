import type { Cluster } from "./cluster.ts";
import type { LoadResult } from "./load.ts";
import { createService } from "./objects.ts";
import { childrenOf, processesWith } from "./processes.ts";

/** What was done to the cluster under load, and what became of the requests. */
export interface Trial {
  readonly name: string;
  readonly result: LoadResult;
  /** How many may be lost: one in a hundred, or those on their way when somebody was killed; or none. */
  readonly lostMax: number;
  /** How far the number of pods wanted moved, where that has a bound. */
  readonly moved?: { readonly by: number; readonly byMax: number };
}

export interface TrialsOptions {
  readonly perSecond: number;
  /** Least number of requests in each trial. */
  readonly requestsMin: number;
  /** Between one thing and the next. */
  readonly settleMs: number;
  /** How long the API server is away. */
  readonly apiAwayMs: number;
  /** Only the trials whose name has this in it; all of them unless given. */
  readonly only?: string;
  readonly say?: (trial: Trial) => void;
}

const NAME = "hello";
/** Requests at one time, whatever their rate: at two a pod and 70 % of that, three pods, between least and most. */
const AT_ONE_TIME = 3;
const TAKE_OVER_MS = 15_000;

/**
 * Under a steady load, through activators all the time, each part of the cluster ends in turn, and comes back. The
 * last is the API server; when it is back, a service that nobody knew is started from zero, by the same processes.
 */
export async function runTrials(cluster: Cluster, options: TrialsOptions): Promise<readonly Trial[]> {
  await createService(cluster.client, {
    name: NAME,
    containerConcurrency: 2,
    marker: cluster.directory,
    workMs: (AT_ONE_TIME * 1_000) / options.perSecond,
    annotations: {
      "autoscaling.knative.dev/initial-scale": "0",
      "autoscaling.knative.dev/window": "6s",
      "autoscaling.knative.dev/target-burst-capacity": "-1",
      "autoscaling.knative.dev/min-scale": "2",
      "autoscaling.knative.dev/max-scale": "4", // each pod is two processes of one machine
    },
  });
  await isListed(cluster, NAME);
  const first = cluster.load(NAME);
  await first.one();
  const trials: Trial[] = [{ name: "a first request, from zero", result: await first.stop(), lostMax: 0 }];
  const trial = async (
    name: string,
    kills: number,
    act: () => Promise<void>,
    boundsDesired = false,
  ): Promise<void> => {
    if (options.only !== undefined && !name.includes(options.only)) return;
    const load = cluster.load(NAME);
    load.start(options.perSecond);
    await cluster.pause(options.settleMs);
    const before = cluster.desiredOf(NAME);
    const seen = new Set(before === undefined ? [] : [before]);
    const following = cluster.onDesired((service, pods) => {
      if (service === NAME) seen.add(pods);
    });
    await act();
    await cluster.until(`${options.requestsMin} requests`, 120_000, () => load.sent >= options.requestsMin);
    following[Symbol.dispose]();
    const result = await load.stop();
    const by = before === undefined ? 0 : Math.max(...[...seen].map((pods) => Math.abs(pods - before)));
    const lostMax = kills === 0 ? 0 : Math.max(Math.floor(result.sent / 100), kills * 2 * AT_ONE_TIME);
    const done: Trial = { name, result, lostMax, ...(boundsDesired ? { moved: { by, byMax: 1 } } : {}) };
    trials.push(done);
    options.say?.(done);
  };
  const killInTurn = async (kind: string, back: () => Promise<void>): Promise<void> => {
    for (const name of [`${kind}-a`, `${kind}-b`]) {
      await cluster.member(name).end("SIGKILL");
      await cluster.pause(options.settleMs);
      await cluster.member(name).start();
      await back();
    }
  };
  const activatorsListed = (): Promise<void> =>
    cluster.until("both activators are listed", TAKE_OVER_MS, () => cluster.endpointsOf(NAME).length === 2);

  await trial("warm", 0, () => cluster.pause(7_000));
  await trial("activators are told to go, one by one", 0, async () => {
    for (const name of ["activator-a", "activator-b"]) {
      await cluster.endActivator(name);
      await cluster.member(name).start();
      await activatorsListed();
    }
  });
  await trial("activators are killed, one by one", 2, () => killInTurn("activator", activatorsListed));
  await trial(
    "autoscalers are killed, one by one",
    0,
    () => killInTurn("autoscaler", () => hasLeaders(cluster)),
    true,
  );
  await trial("controllers are killed, one by one", 0, () =>
    killInTurn("controller", () => hasLeaders(cluster)),
  );
  await trial("a queue-proxy is killed", 1, async () => {
    const [victim] = childrenOf(cluster.member("node").pid).filter((pid) =>
      processesWith("queue-proxy/dist/main.cjs").includes(pid),
    );
    kill(victim);
    await cluster.pause(3 * options.settleMs);
  });
  await trial("a user's program is killed", 1, async () => {
    kill(processesWith("program.mjs", cluster.directory).at(0));
    await cluster.pause(3 * options.settleMs);
  });
  await trial("the API server answers nobody for a while", 0, async () => {
    cluster.api.signal("SIGSTOP");
    await cluster.pause(options.apiAwayMs / 3);
    cluster.api.signal("SIGCONT");
    await hasLeaders(cluster);
  });
  await trial("the API server is killed, and back after a while", 0, async () => {
    await cluster.api.end("SIGKILL");
    await cluster.pause(options.apiAwayMs);
    await cluster.api.start();
    await hasLeaders(cluster);
    await fromZero(cluster, "later");
  });
  return trials;
}

/** A service nobody knew is answered: every part follows the API. */
async function fromZero(cluster: Cluster, name: string): Promise<void> {
  await cluster.until("the API takes objects", TAKE_OVER_MS, () =>
    createService(cluster.client, {
      name,
      containerConcurrency: 2,
      marker: cluster.directory,
      workMs: 1,
      annotations: { "autoscaling.knative.dev/initial-scale": "0" },
    }).then(
      () => true,
      () => false,
    ),
  );
  await isListed(cluster, name);
  // Activators list anew after a back-off of their own: until then the name is unknown to them, as to the reference's.
  await cluster.until(`${name} is answered`, TAKE_OVER_MS, async () => {
    const load = cluster.load(name);
    await load.one();
    return (await load.stop()).ok === 1;
  });
}

async function isListed(cluster: Cluster, name: string): Promise<void> {
  await cluster.until(`${name} has endpoints`, 3 * TAKE_OVER_MS, () => cluster.endpointsOf(name).length > 0);
}

/** Every Lease is held by one that runs. */
async function hasLeaders(cluster: Cluster): Promise<void> {
  await cluster.until("every Lease has a holder", TAKE_OVER_MS, async () => {
    const holders = await cluster.leaseHolders().catch(() => []);
    return holders.length > 0 && holders.every((name) => cluster.members.get(name)?.isRunning === true);
  });
}

function kill(pid: number | undefined): void {
  if (pid === undefined) throw new Error("there is nobody to kill");
  process.kill(pid, "SIGKILL");
}
