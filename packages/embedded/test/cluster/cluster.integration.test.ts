import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { RealClock, RealRandom } from "@rouse/shared";
import { expect, test } from "vitest";
import { Cluster } from "./support/cluster.ts";
import { runTrials } from "./support/trials.ts";

const ROOT = resolve(import.meta.dirname, "../../../..");
const LIMIT_MS = 200_000;

/**
 * The long form of this is `pnpm cluster-test`: 300 requests a second, 10,000 in each trial, the API server away for
 * half a minute; how far the pods wanted move is judged there alone, as a busy machine makes load of its own.
 */
test(
  "A-12, A-127, A-131, A-145: whatever part of a cluster ends, requests are answered and the rest goes on",
  async () => {
    execFileSync(process.execPath, ["scripts/build.ts", "--if-stale"], { cwd: ROOT });
    await using cluster = await Cluster.start(
      { clock: new RealClock(), random: new RealRandom() },
      { leaving: "1s" },
    );
    const trials = await runTrials(cluster, {
      perSecond: 50,
      requestsMin: 100,
      settleMs: 400,
      apiAwayMs: 3_000,
    });
    for (const { name, result, lostMax } of trials) {
      const told = `${name}: ${result.ok} of ${result.sent}, ${[...result.failures].join(" ")}`;
      expect(result.sent - result.ok, told).toBeLessThanOrEqual(lostMax);
    }
  },
  LIMIT_MS,
);
