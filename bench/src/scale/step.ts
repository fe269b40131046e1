import { ScaleFormula } from "@rouse/shared/testing";
import { type Result, result } from "../benchmark.ts";
import type { Platform } from "../cold-start/platform.ts";
import { Clients } from "./clients.ts";
import { graceMsOf, HOST, replicasOf, ticksSince } from "./scaled-service.ts";

export const stepService = {
  containerConcurrency: 5,
  annotations: { window: "6s", "initial-scale": "0" },
} as const;
const WINDOW_MS = 6_000;
/** 70 % of the containers' concurrency, as `config-autoscaler` comes. */
const TARGET = 3.5;
const CLIENTS = 50;
const WORK_MS = 200;
const LOOK_MS = 200;
/** The windows are full of the load by then. */
const SETTLED_MS = 10_000;

interface Seen {
  readonly sinceMs: number;
  readonly pods: number;
  readonly formula: number;
}

/** 0 → 50 clients → 0: at each tick the replicas beside the formula, then how long it takes to be at zero. */
export async function step(platform: Platform, seconds: number): Promise<readonly Result[]> {
  using clients = new Clients({ port: platform.port, host: HOST, workMs: WORK_MS });
  const formula = new ScaleFormula({ target: TARGET, stableWindowMs: WINDOW_MS });
  const seen: Seen[] = [];
  let last = Date.now();
  const begunAt = performance.now();
  const look = async (): Promise<number> => {
    await sleep(LOOK_MS);
    const pods = await replicasOf(platform);
    const ticks = await ticksSince(platform, last);
    for (const [index, { at, evaluation }] of ticks.entries()) {
      last = at;
      const asked = formula.pods({ atMs: at, ...evaluation });
      // Of ticks that came since the last look, the replicas are those of the latest.
      const isLatest = index === ticks.length - 1;
      const had = isLatest ? await replicasOf(platform) : evaluation.desiredPods;
      seen.push({ sinceMs: performance.now() - begunAt, pods: had, formula: asked });
    }
    return pods;
  };
  clients.keep(CLIENTS);
  while (performance.now() - begunAt < seconds * 1_000) await look();
  await clients.stop();
  const idleAt = performance.now();
  const limitMs = WINDOW_MS + (await graceMsOf(platform)) + 2_000;
  while ((await look()) > 0 && performance.now() - idleAt < 2 * limitMs) {}
  const toZeroMs = performance.now() - idleAt;
  const off = seen.map(({ pods, formula: asked }) => Math.abs(pods - asked));
  const settled = seen.filter(({ sinceMs }) => sinceMs > SETTLED_MS && sinceMs < seconds * 1_000);
  const wanted = Math.ceil(CLIENTS / TARGET);
  const offSettled = settled.map(({ pods }) => Math.abs(pods - wanted));
  return [
    result("step: ticks looked at", "ticks", seen.length),
    result("step: pods off the formula at most", "pods", Math.max(...off), { baseline: 1 }),
    result("step: pods off 50 clients / 3.5 once settled, at most", "pods", Math.max(...offSettled), {
      baseline: 1,
    }),
    result("step: last answer to zero replicas", "ms", toZeroMs, { baseline: limitMs }),
    result("step: requests", "requests", clients.sent),
    result("step: answers other than 200", "requests", clients.errors),
  ];
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
