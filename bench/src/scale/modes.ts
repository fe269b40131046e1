import { type Result, result } from "../benchmark.ts";
import type { Platform } from "../cold-start/platform.ts";
import { Clients } from "./clients.ts";
import { annotate, HOST, modeOf } from "./scaled-service.ts";

export const modesService = {
  containerConcurrency: 20,
  annotations: { window: "6s", "min-scale": "3", "target-burst-capacity": "0" },
} as const;
const PER_SECOND = 1_000;
const WORK_MS = 5;
/** The mode follows a change within a tick. */
const CHANGE_MS_MAX = 4_000;
const LOOK_MS = 100;

/** proxy → serve → proxy … under a thousand requests per second: who stands in the path changes, nobody notices. */
export async function modes(platform: Platform, changes: number): Promise<readonly Result[]> {
  using clients = new Clients({ port: platform.port, host: HOST, workMs: WORK_MS });
  const begunAt = performance.now();
  clients.pace(PER_SECOND);
  await sleep(2_000);
  let made = 0;
  for (let change = 0; change < changes; change++) {
    const wanted = change % 2 === 0 ? "Proxy" : "Serve";
    await annotate(platform, "target-burst-capacity", wanted === "Proxy" ? "-1" : "0");
    const deadline = performance.now() + CHANGE_MS_MAX;
    while ((await modeOf(platform)) !== wanted && performance.now() < deadline) await sleep(LOOK_MS);
    if ((await modeOf(platform)) === wanted) made++;
    await sleep(1_000); // the endpoints follow, and requests go the new way
  }
  const seconds = (performance.now() - begunAt) / 1_000;
  await clients.stop();
  return [
    result("modes: changes of mode", "changes", made, { baseline: changes }),
    result("modes: requests per second", "req/s", clients.sent / seconds, { baseline: PER_SECOND }),
    result("modes: requests", "requests", clients.sent),
    result("modes: answers other than 200", "requests", clients.errors, { baseline: 0 }),
  ];
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
