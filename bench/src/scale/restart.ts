import { type Result, result } from "../benchmark.ts";
import type { Platform } from "../cold-start/platform.ts";
import { Clients } from "./clients.ts";
import { HOST, ticksSince } from "./scaled-service.ts";

export const restartService = {
  containerConcurrency: 5,
  annotations: { window: "10s", "initial-scale": "0" },
} as const;
const CLIENTS = 20;
const WORK_MS = 200;
/** From when on the windows are full. */
const SETTLED_MS = 14_000;

/** The same load before and after `rouse up` was stopped and started again: what was wanted, and what is. */
export async function restart(
  start: () => Promise<Platform>,
  secondsAfter: number,
): Promise<readonly Result[]> {
  const before = await underLoad(start, SETTLED_MS / 1_000);
  const stoppedAt = performance.now();
  const after = await underLoad(start, secondsAfter);
  const [steady = Number.NaN] = before.desired.slice(-1);
  const moved = Math.max(...after.desired.map((pods) => Math.abs(pods - steady)));
  return [
    result("restart: pods wanted before", "pods", steady),
    result("restart: pods wanted after, fewest", "pods", Math.min(...after.desired), { baseline: steady }),
    result("restart: pods wanted after, most", "pods", Math.max(...after.desired), { baseline: steady }),
    result("restart: moved by at most", "pods", moved, { baseline: 1 }),
    result("restart: ticks looked at after", "ticks", after.desired.length),
    result("restart: stop to load again", "ms", after.loadedAt - stoppedAt),
    result("restart: answers other than 200", "requests", before.errors + after.errors),
  ];
}

async function underLoad(start: () => Promise<Platform>, seconds: number) {
  await using platform = await start();
  using clients = new Clients({ port: platform.port, host: HOST, workMs: WORK_MS });
  const loadedAt = performance.now();
  const since = Date.now();
  clients.keep(CLIENTS);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const ticks = await ticksSince(platform, since);
  // Its end is the platform's: what is under way then is no error of a restart.
  const { errors } = clients;
  await clients.stop();
  return { loadedAt, errors, desired: ticks.map(({ evaluation }) => evaluation.desiredPods) };
}
