import type { Container } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { readinessPeriod, watchReadiness } from "./readiness-watch.ts";

const period = { periodMs: 10_000, failures: 3, successes: 1 };

/** A sidecar that is ready at once and then gives these answers, one per question, the last one for ever. */
function watching(answers: readonly boolean[], first: readonly boolean[] = [true]) {
  const clock = new VirtualClock();
  const abort = new AbortController();
  const changes: string[] = [];
  let asked = 0;
  let awaited = 0;
  const sidecar = {
    awaitReady: async () => first[Math.min(awaited++, first.length - 1)] ?? true,
    checkReady: async () => answers[Math.min(asked++, answers.length - 1)] ?? true,
  };
  const watch = watchReadiness({ clock }, sidecar, period, abort.signal, (isReady) =>
    changes.push(`${clock.now() / 1_000} s ${isReady}`),
  );
  return { clock, abort, changes, watch, asked: () => asked };
}

test("a pod that has become ready is unready after three bad rounds and ready again after one good one", async () => {
  const { clock, abort, changes, watch } = watching([
    true,
    false,
    false,
    true,
    false,
    false,
    false,
    false,
    true,
  ]);
  await clock.advanceAsync(100_000);
  expect(changes).toEqual(["0 s true", "70 s false", "90 s true"]);
  abort.abort();
  await watch;
  expect(clock.pendingTimers).toBe(0);
});

test("one that was aborted asks no more, and leaves no timer", async () => {
  const { clock, abort, changes, watch, asked } = watching([true]);
  await clock.advanceAsync(25_000);
  abort.abort();
  await watch;
  await clock.advanceAsync(100_000);
  expect([changes, asked(), clock.pendingTimers]).toEqual([["0 s true"], 2, 0]);
});

test("a sidecar that gives up by itself is asked again after a period", async () => {
  const { clock, abort, changes, watch } = watching([true], [false, false, true]);
  await clock.advanceAsync(20_000);
  expect(changes).toEqual(["20 s true"]);
  abort.abort();
  await watch;
});

test.each<{ what: string; containers: readonly Container[]; want: object }>([
  { what: "nothing said", containers: [{ name: "u" }], want: period },
  {
    what: "queue-proxy's own probe (Q-90)",
    containers: [
      { name: "u", readinessProbe: { periodSeconds: 1 } },
      { name: "queue-proxy", readinessProbe: { periodSeconds: 2, failureThreshold: 5, successThreshold: 2 } },
    ],
    want: { periodMs: 2_000, failures: 5, successes: 2 },
  },
  {
    what: "zero means the default",
    containers: [{ name: "u", readinessProbe: { periodSeconds: 0, failureThreshold: 0 } }],
    want: period,
  },
])("how often: $what", ({ containers, want }) => {
  expect(readinessPeriod({ spec: { containers } })).toEqual(want);
});
