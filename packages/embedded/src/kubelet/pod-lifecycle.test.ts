import type { MonoMs, WallMs } from "@rouse/shared";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newHistory, type PodEvent, type PodState, type PodStep, podStep } from "./pod-lifecycle.ts";

const at = (ms: number): MonoMs => ms as MonoMs;
const wall = 0 as WallMs;
const started: PodEvent = { kind: "started", at: wall };
const exited = (exitCode = 1): PodEvent => ({
  kind: "exited",
  exit: { exitCode, message: "", startedAt: wall, finishedAt: wall },
});
const notFound: PodEvent = {
  kind: "start-failed",
  reason: "RunContainerError",
  message: "command not found: x",
};
const deleted = (graceMs: number): PodEvent => ({ kind: "deleted", graceMs });
const alarm: PodEvent = { kind: "alarm" };
const fresh: PodState = { kind: "starting", history: newHistory };

/** Runs events at their times; returns every step. */
function live(...events: readonly (readonly [number, PodEvent])[]): readonly PodStep[] {
  let state = fresh;
  return events.map(([ms, event]) => {
    const step = podStep(state, event, at(ms));
    state = step.state;
    return step;
  });
}
const last = (steps: readonly PodStep[]): PodStep => steps.at(-1) ?? expect.fail("no step");

describe("restarts", () => {
  test("the first is immediate, then 10 s, 20 s, … at most 5 min", () => {
    const waits: number[] = [];
    let state: PodState = fresh;
    for (let crash = 0; crash < 8; crash++) {
      state = podStep(state, started, at(0)).state;
      const step = podStep(state, exited(), at(1));
      const effect = step.effects[0];
      waits.push(effect?.do === "alarm" ? effect.afterMs / 1_000 : 0);
      state = effect?.do === "start" ? step.state : podStep(step.state, alarm, at(1)).state;
    }
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
    expect(state).toMatchObject({ kind: "starting", history: { restarts: 8 } });
  });

  test("ten minutes of running make the next restart immediate again", () => {
    const steps = live(
      [0, started],
      [1, exited()],
      [2, started],
      [3, exited()],
      [10_003, alarm],
      [10_004, started],
    );
    expect(podStep(last(steps).state, exited(), at(610_003)).effects).toEqual([
      { do: "alarm", afterMs: 20_000 },
    ]);
    expect(podStep(last(steps).state, exited(), at(610_004)).effects).toEqual([{ do: "start" }]);
  });

  test("a command that is not found is tried again, and counts as no restart", () => {
    const steps = live([0, notFound], [10_000, alarm]);
    expect(steps[0]).toEqual({
      state: {
        kind: "backing-off",
        history: { restarts: 0, lastExit: undefined, backoffMs: 10_000 },
        reason: "RunContainerError",
        message: "command not found: x",
      },
      effects: [{ do: "alarm", afterMs: 10_000 }],
    });
    expect(steps[1]).toMatchObject({
      state: { kind: "starting", history: { restarts: 0, backoffMs: 20_000 } },
    });
  });

  test("a process that ends well is started again too: pods of revisions never complete", () => {
    expect(last(live([0, started], [1, exited(0)])).effects).toEqual([{ do: "start" }]);
  });
});

test("an unhealthy process is told to end, killed when it does not, and started again", () => {
  const steps = live(
    [0, started],
    [5, { kind: "readiness", isReady: true }],
    [9, { kind: "unhealthy", graceMs: 30_000 }],
  );
  expect(last(steps)).toMatchObject({
    state: { kind: "running", run: { isReady: false } },
    effects: [
      { do: "signal", signal: "SIGTERM" },
      { do: "alarm", afterMs: 30_000 },
    ],
  });
  const killed = podStep(last(steps).state, alarm, at(30_009));
  expect(killed.effects).toEqual([{ do: "signal", signal: "SIGKILL" }]);
  expect(podStep(killed.state, exited(137), at(30_010)).effects).toEqual([{ do: "start" }]);
});

describe("the end of a pod", () => {
  const running = [0, started] as const;

  test("requests first, then TERM with what is left of the grace, then KILL", () => {
    const steps = live(running, [100, deleted(30_000)], [1_100, { kind: "drained" }], [30_100, alarm]);
    expect(steps.map(({ effects }) => effects)).toEqual([
      [],
      [{ do: "alarm", afterMs: 30_000 }, { do: "drain" }],
      [
        { do: "signal", signal: "SIGTERM" },
        { do: "alarm", afterMs: 29_000 },
      ],
      [
        { do: "signal", signal: "SIGKILL" },
        { do: "alarm", afterMs: 5_000 },
      ],
    ]);
    expect(podStep(last(steps).state, exited(), at(30_200))).toEqual({
      state: { kind: "gone" },
      effects: [{ do: "remove" }],
    });
  });

  test("requests that do not end in the grace are not waited for; TERM still leaves 2 s", () => {
    expect(last(live(running, [0, deleted(30_000)], [30_000, alarm])).effects).toEqual([
      { do: "signal", signal: "SIGTERM" },
      { do: "alarm", afterMs: 2_000 },
    ]);
  });

  test("deleted again with less grace: the end comes sooner, never later", () => {
    const steps = live(running, [0, deleted(30_000)], [1_000, deleted(5_000)], [2_000, deleted(60_000)]);
    expect(steps[2]?.effects).toEqual([{ do: "alarm", afterMs: 5_000 }]);
    expect(steps[3]?.effects).toEqual([{ do: "alarm", afterMs: 4_000 }]);
  });

  test.each([
    { what: "before its process", steps: live([0, deleted(30_000)]) },
    { what: "while backed off", steps: live([0, notFound], [1, deleted(30_000)]) },
    {
      what: "refused",
      steps: live([0, { kind: "refused", reason: "r", message: "m" }], [1, deleted(30_000)]),
    },
    { what: "ended while draining", steps: live(running, [1, deleted(30_000)], [2, exited()]) },
    {
      what: "never reported after the kill",
      steps: live(running, [1, deleted(0)], [1, alarm], [2, alarm], [3, alarm]),
    },
  ])("$what: it goes at once", ({ steps }) => {
    expect(last(steps)).toEqual({ state: { kind: "gone" }, effects: [{ do: "remove" }] });
  });
});

test("whatever happens in whatever order: one process at a time, removed once, never started after deletion", () => {
  const event = fc.oneof(
    fc.constantFrom<PodEvent>(
      alarm,
      { kind: "drained" },
      { kind: "readiness", isReady: true },
      { kind: "unhealthy", graceMs: 5 },
      exited(),
      notFound,
    ),
    fc.nat(60_000).map(deleted),
  );
  fc.assert(
    fc.property(fc.array(fc.record({ event, gapMs: fc.nat(20_000) }), { maxLength: 60 }), (events) => {
      let state: PodState = fresh;
      let now = 0;
      let hasProcess = false;
      let isDeleted = false;
      let removals = 0;
      let isArmed = false;
      let isUnhealthy = false;
      let isGone = false;
      const take = (of: PodEvent): void => {
        const kindBefore = state.kind;
        const step = podStep(state, of, at(now));
        state = step.state;
        isUnhealthy = state.kind === kindBefore && (isUnhealthy || of.kind === "unhealthy");
        isGone = state.kind === "gone";
        if (state.kind !== kindBefore || of.kind === "alarm") isArmed = false;
        for (const effect of step.effects) {
          isArmed ||= effect.do === "alarm";
          if (effect.do === "start") expect([hasProcess, isDeleted]).toEqual([false, false]);
          if (effect.do === "signal") expect([isDeleted || isUnhealthy, hasProcess]).toEqual([true, true]);
          if (effect.do === "remove") removals++;
        }
      };
      for (const { event: next, gapMs } of events) {
        now += gapMs;
        if (next.kind === "alarm" && !isArmed) continue;
        if (state.kind === "starting" && next.kind !== "deleted" && next.kind !== "start-failed") {
          hasProcess = true;
          take(started);
        } else if (next.kind === "exited" || next.kind === "start-failed") {
          if (next.kind === "exited" && !hasProcess) continue;
          hasProcess = false;
          take(next);
        } else {
          isDeleted ||= next.kind === "deleted";
          take(next);
        }
      }
      expect(removals).toBe(isGone ? 1 : 0);
    }),
  );
});
