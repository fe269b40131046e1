/**
 * `pnpm sim --seeds N [--from M] [--minutes T]`: plays seeds of the whole platform, for as long as it may, and prints
 * every failing one with its history.
 */
import { parseArgs } from "node:util";
import { RealClock } from "@rouse/shared";
import { PlatformWorld } from "./sim/platform-world.ts";
import { scenarioOf } from "./sim/scenario.ts";

const HISTORY_SHOWN = 120;
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
let zeros = 0;
for (let seed = from; seed < from + count && clock.now() < untilMs; seed++) {
  played++;
  const report = await PlatformWorld.run(scenarioOf(seed));
  requests += report.requests;
  zeros += report.zeros;
  for (const [status, times] of report.statuses) statuses.set(status, (statuses.get(status) ?? 0) + times);
  if (report.violations.length === 0) continue;
  failed++;
  process.stdout.write(`seed ${seed} ${JSON.stringify(scenarioOf(seed))}\n`);
  for (const line of report.history.slice(-HISTORY_SHOWN)) process.stdout.write(`${line}\n`);
  for (const line of report.violations) process.stdout.write(`  violated: ${line}\n`);
}
const shown = [...statuses]
  .sort(([a], [b]) => a - b)
  .map(([status, times]) => `${times} × ${status || "left"}`);
process.stdout.write(
  `${played} seeds from ${from}: ${failed} with violations; ${requests} requests (${shown.join(", ")}), ${zeros} times to zero\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
