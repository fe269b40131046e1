import { expect, test } from "vitest";
import { PlatformWorld } from "./sim/platform-world.ts";
import { scenarioOf } from "./sim/scenario.ts";
import { storyOf } from "./sim/story.ts";

/** A seed takes some 60 ms of a core; on a busy machine it has to wait for it. */
const LIMIT_MS = 60_000;
const SEEDS = 200;
/** Seeds outside of the first ones that once failed, and for what. */
const found = [
  { seed: 344, why: "a pod that recovered and went before anyone wrote it down left its revision failed" },
  { seed: 570, why: "a minimum was not kept for a revision without data" },
  { seed: 947, why: "a minimum was not kept for the second of two" },
  { seed: 1_144, why: "as 344, with one pod for two requests" },
  { seed: 990, why: "a pod called ready after its deletion kept its activator's requests for ten seconds" },
  { seed: 1_212, why: "ten attempts ended before one of the pods that were left after a large scale-down" },
  { seed: 1_241, why: "as 344" },
  {
    seed: 8_758,
    why: "a request behind long ones in a pod that went was called lost when both had used up their time",
  },
  { seed: 11_026, why: "a pod that recovered while its revision was idle left it failed" },
  { seed: 15_272, why: "the last pod went by a decision older than the load it had told" },
  { seed: 16_149, why: "an answer that was on its way when its time ran out was called lost" },
  {
    seed: 208_189,
    why: "a service that crashed before it went to zero stayed failed, as it is to, and was waited for",
  },
];

async function play(seed: number): Promise<void> {
  const scenario = scenarioOf(seed);
  const report = await PlatformWorld.run(scenario);
  if (report.violations.length > 0) expect.fail(storyOf(scenario, report));
}

test.each(Array.from({ length: SEEDS }, (_, index) => index + 1))(
  "I-2, K-85: no request is lost or waits beside a free pod, no limit is exceeded, no way leads nowhere, nothing sleeps under load, what is idle does: seed %i",
  (seed) => play(seed),
  LIMIT_MS,
);

test.each(found)("seed $seed stays mended: $why", ({ seed }) => play(seed), LIMIT_MS);

test(
  "the same seed plays the same way",
  async () => {
    const [first, second] = [await PlatformWorld.run(scenarioOf(7)), await PlatformWorld.run(scenarioOf(7))];
    expect(second.history).toEqual(first.history);
    expect(second.statuses).toEqual(first.statuses);
  },
  LIMIT_MS,
);
