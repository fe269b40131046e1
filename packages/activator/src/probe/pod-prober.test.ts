import { type Endpoint, endpoint, SeededRandom } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { PodSet } from "../balance/pod-set.ts";
import { newRevisionEntry } from "../resolve/revision-entry.ts";
import { revisionTarget } from "../resolve/revision-target.ts";
import { RevisionThrottle } from "../throttle/revision-throttle.ts";
import { PodProber } from "./pod-prober.ts";
import { type PodAnswer, PodReach } from "./pod-reach.ts";

const pod = endpoint({ ip: "10.0.0.1", port: 8012 });

function setUp(containers: Parameters<typeof revisionTarget>[0]["spec"]["containers"] = []) {
  const clock = new VirtualClock();
  const connect = () => ({ ip: "10.0.0.1", port: 8012, close: () => {} });
  const entry = newRevisionEntry({
    target: revisionTarget({
      apiVersion: "serving.knative.dev/v1",
      kind: "Revision",
      metadata: { namespace: "default", name: "hello-1" },
      spec: { containers },
    }),
    uid: "1",
    throttle: new RevisionThrottle(new PodSet({ containerConcurrency: 0, connect }), new SeededRandom(1)),
    reach: new PodReach("none"),
  });
  const askedAt: number[] = [];
  const answers: { now: PodAnswer } = { now: "unready" };
  const prober = new PodProber({
    clock,
    ask: async () => {
      askedAt.push(clock.now());
      return answers.now;
    },
    answered: (of, from, answer) => {
      if (answer === "ready") of.readiness.vouch(from, clock.now());
      if (of.reach.answered(answer) === "changed" || answer === "ready") prober.sync(of);
    },
  });
  const list = (ready: Endpoint[], notReady: Endpoint[]) => {
    entry.readiness.update({ ready: new Set(ready), notReady: new Set(notReady) });
    prober.sync(entry);
  };
  return { clock, entry, prober, askedAt, answers, list };
}

test("A-58: a pod that is listed and not ready is asked until it says it is", async () => {
  const { clock, entry, askedAt, answers, list } = setUp();
  list([], [pod]);
  await clock.advanceAsync(450);
  expect([askedAt, entry.readiness.usable()]).toEqual([[200, 400], []]);
  answers.now = "ready";
  await clock.advanceAsync(1_000);
  expect([askedAt, entry.readiness.usable()]).toEqual([[200, 400, 600], [pod]]);
  expect(clock.pendingTimers).toBe(0);
});

test("A-56: one that stays unready is asked less and less often", async () => {
  const { clock, askedAt, list, prober } = setUp();
  list([], [pod]);
  await clock.advanceAsync(60_000);
  const gaps = askedAt.map((at, index) => at - (askedAt[index - 1] ?? 0));
  expect(gaps.slice(0, 25).every((gap) => gap === 200)).toBe(true);
  expect(gaps.at(-1)).toBe(2_000);
  prober[Symbol.dispose]();
  expect(clock.pendingTimers).toBe(0);
});

test("one that becomes ready or leaves is not asked any more", async () => {
  const { clock, askedAt, list } = setUp();
  list([], [pod]);
  list([pod], []);
  await clock.advanceAsync(1_000);
  list([], [pod]);
  list([], []);
  await clock.advanceAsync(1_000);
  expect([askedAt, clock.pendingTimers]).toEqual([[], 0]);
});

test("A-54: with an exec readiness probe nobody is asked", async () => {
  const { clock, askedAt, list } = setUp([{ name: "a", readinessProbe: { exec: { command: ["true"] } } }]);
  list([], [pod]);
  await clock.advanceAsync(1_000);
  expect(askedAt).toEqual([]);
});
