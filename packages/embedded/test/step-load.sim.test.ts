import { DeploymentKind, revisionKey, SeededRandom } from "@rouse/shared";
import { ScaleFormula, VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { calmScenario } from "./sim/scenario.ts";
import { settled } from "./sim/settled.ts";
import { SimHead } from "./sim/sim-head.ts";
import { SimMachine } from "./sim/sim-machine.ts";
import { SimNetwork } from "./sim/sim-network.ts";
import { GATEWAY, SimPlatform } from "./sim/sim-platform.ts";
import { ID_HEADER, WORK_HEADER } from "./sim/sim-process.ts";

const REVISION = revisionKey({ namespace: "default", name: "alpha-00001" });
const CONCURRENCY = 5;
const CLIENTS = 50;
const WORK_MS = 200;
const SAMPLE_MS = 50;
const WINDOW_MS = 6_000;
const GRACE_MS = 6_000;
/** Of the containers' concurrency, as `config-autoscaler` comes. */
const TARGET = 0.7 * CONCURRENCY;

/** One platform with one service, and as many clients as are asked for, each with one request at a time. */
async function setUp() {
  const scenario = calmScenario({
    name: "alpha",
    containerConcurrency: CONCURRENCY,
    timeoutSeconds: 20,
    annotations: { "autoscaling.knative.dev/window": "6s", "autoscaling.knative.dev/initial-scale": "0" },
  });
  const [clock, random] = [new VirtualClock(), new SeededRandom(scenario.seed)];
  const network = new SimNetwork({ clock, random });
  const machine = new SimMachine({
    clock,
    random,
    network,
    draw: () => ({ startMs: 50, fate: { kind: "serves" } }),
    begun: () => {},
    loadChanged: () => {},
    harmed: () => {},
    harmedAt: () => {},
    told: () => {},
  });
  const platform = await settled(clock, SimPlatform.create({ scenario, clock, random, network, machine }));
  await settled(clock, platform.start());
  await platform.apply(60);
  const load = { wanted: 0, inFlight: 0, statuses: new Map<number, number>() };
  let sent = 0;
  const send = (): void => {
    load.inFlight++;
    const fields = new Map([
      ["host", "alpha.default.localhost"],
      [ID_HEADER, String(sent++)],
      [WORK_HEADER, String(WORK_MS)],
    ]);
    const over = (): void => {
      load.inFlight--;
      if (load.inFlight < load.wanted) send();
    };
    network.call(GATEWAY, new SimHead(fields), {
      refused: over,
      answered: (status) => void load.statuses.set(status, (load.statuses.get(status) ?? 0) + 1),
      finished: over,
      cut: over,
    });
  };
  const setClients = (count: number): void => {
    load.wanted = count;
    while (load.inFlight < load.wanted) send();
  };
  const close = (): Promise<void> => settled(clock, platform[Symbol.asyncDispose]());
  return { clock, platform, load, setClients, close };
}

/** Requests at one time, as the clients know it, averaged over a window that ends now. */
class Truth {
  readonly #samples: number[] = [];

  add(inFlight: number): void {
    this.#samples.push(inFlight);
  }

  average(windowMs: number): number {
    const latest = this.#samples.slice(-windowMs / SAMPLE_MS);
    return latest.reduce((sum, each) => sum + each, 0) / Math.max(1, latest.length);
  }
}

test("a step to 50 clients and back follows the formula at each tick, and ends at zero in time (S-79…S-88, S-107)", async () => {
  const { clock, platform, load, setClients, close } = await setUp();
  const byMeasured = new ScaleFormula({ target: TARGET, stableWindowMs: WINDOW_MS });
  const truth = new Truth();
  const ticks: {
    readonly atMs: number;
    readonly pods: number;
    readonly formula: number;
    readonly truth: number;
  }[] = [];
  const replicas = async (): Promise<number> => {
    const { items } = await platform.client.list(DeploymentKind);
    return items[0]?.spec.replicas ?? Number.NaN;
  };
  let lastTick = 0;
  const play = async (ms: number, isOver: () => Promise<boolean> = async () => false): Promise<void> => {
    for (let passed = 0; passed < ms && !(await isOver()); passed += SAMPLE_MS) {
      truth.add(load.inFlight);
      await clock.advanceAsync(SAMPLE_MS);
      const news = platform.explain(REVISION)?.ticks.filter(({ at }) => at > lastTick) ?? [];
      for (const tick of news) {
        lastTick = tick.at;
        if (tick.kind !== "decided") continue;
        const { stable, panic, readyPods } = tick.evaluation;
        const formula = byMeasured.pods({ atMs: tick.at, readyPods, stable, panic });
        const byTruth = Math.ceil(truth.average(WINDOW_MS) / TARGET);
        ticks.push({ atMs: clock.now(), pods: await replicas(), formula, truth: byTruth });
      }
    }
  };
  setClients(CLIENTS);
  const steadyFrom = clock.now() + WINDOW_MS + 2_000;
  await play(30_000);
  const steadyTo = clock.now();
  setClients(0);
  await clock.advanceAsync(WORK_MS + 20);
  const idleSince = clock.now();
  await play(60_000, async () => (await replicas()) === 0);
  const tookMs = clock.now() - idleSince;
  expect(tookMs).toBeLessThanOrEqual(WINDOW_MS + GRACE_MS + 2_000);
  expect([...load.statuses.keys(), load.inFlight]).toEqual([200, 0]);
  expect(ticks.length).toBeGreaterThan(18);
  for (const { pods, formula } of ticks) expect(Math.abs(pods - formula)).toBeLessThanOrEqual(1);
  // Once the windows are full of it, what was measured is what was there.
  const settledTicks = ticks.filter(({ atMs }) => atMs > steadyFrom && atMs < steadyTo);
  expect(settledTicks.length).toBeGreaterThan(8);
  for (const { pods, truth: byTruth } of settledTicks)
    expect(Math.abs(pods - byTruth)).toBeLessThanOrEqual(1);
  await close();
});
