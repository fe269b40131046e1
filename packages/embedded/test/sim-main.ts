/**
 * `pnpm sim --seeds N [--from M] [--minutes T]`: plays seeds of the whole platform, for as long as it may, and prints
 * every failing one with its history.
 */
import { parseArgs } from "node:util";
import { RealClock } from "@rouse/shared";
import { PlatformWorld } from "./sim/platform-world.ts";
import { scenarioOf } from "./sim/scenario.ts";
import { storyOf } from "./sim/story.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    minutes: { type: "string", default: "Infinity" },
  },
});
const from = Number(values.from);
const count = Number(values.seeds);
const clock = new RealClock();
const untilMs = clock.now() + Number(values.minutes) * 60_000;
let played = 0;
let failed = 0;
let requests = 0;
const statuses = new Map<number, number>();
const excuses = new Map<string, number>();
let zeros = 0;
for (let seed = from; seed < from + count && clock.now() < untilMs; seed++) {
  played++;
  const scenario = scenarioOf(seed);
  const report = await PlatformWorld.run(scenario);
  requests += report.requests;
  zeros += report.zeros;
  for (const [status, times] of report.statuses) statuses.set(status, (statuses.get(status) ?? 0) + times);
  for (const [excuse, times] of report.excuses) excuses.set(excuse, (excuses.get(excuse) ?? 0) + times);
  if (report.violations.length === 0) continue;
  failed++;
  process.stdout.write(`${storyOf(scenario, report)}\n`);
}
const shown = [...statuses]
  .sort(([a], [b]) => a - b)
  .map(([status, times]) => `${times} × ${status || "left"}`);
const lost = [...excuses].map(([excuse, times]) => `${times} × ${excuse}`);
process.stdout.write(
  `${played} seeds from ${from}: ${failed} with violations; ${requests} requests (${shown.join(", ")}); not served: ${lost.join(", ") || "none"}; ${zeros} times to zero\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
