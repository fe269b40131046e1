import type { ContainerState, Pod } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { conditionTrouble, revisionView } from "./revision-view.ts";

const revision = { metadata: { name: "hello-00001" } };
const load = { held: 0, inFlight: 0 };

interface PodFields {
  readonly isReady?: boolean;
  readonly isStopping?: boolean;
  readonly state?: ContainerState;
}

function pod({ isReady = false, isStopping = false, state }: PodFields): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", ...(isStopping ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}) },
    spec: { containers: [] },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
      containerStatuses:
        state === undefined ? [] : [{ name: "user-container", ready: isReady, restartCount: 0, state }],
    },
  };
}

test("pods count once each: stopping before ready before starting", () => {
  const pods = [pod({}), pod({ isReady: true }), pod({ isReady: true, isStopping: true }), pod({})];
  expect(revisionView(revision, { pods, sks: undefined, load }).pods).toEqual({
    starting: 2,
    ready: 1,
    stopping: 1,
  });
});

test("of the load it takes what waits and what runs, whatever else comes with it", () => {
  const more = { held: 1, inFlight: 2, pods: 7 };
  const view = revisionView(revision, { pods: [pod({})], sks: undefined, load: more });
  expect(view).toMatchObject({ held: 1, inFlight: 2, pods: { starting: 1, ready: 0, stopping: 0 } });
});

describe("trouble", () => {
  const troubleOf = (...pods: readonly Pod[]): string | undefined =>
    revisionView(revision, { pods, sks: undefined, load }).trouble;

  test("a container that is being made is none", () => {
    expect(troubleOf(pod({ state: { waiting: { reason: "ContainerCreating" } } }))).toBeUndefined();
  });

  test("a command that does not exist is named with its cause", () => {
    const state = { waiting: { reason: "CreateContainerError", message: "spawn nope ENOENT" } };
    expect(troubleOf(pod({ state }))).toBe("CreateContainerError: spawn nope ENOENT");
  });

  test("a program that ended says how", () => {
    expect(troubleOf(pod({ state: { terminated: { exitCode: 3 } } }))).toBe("Error: exit code 3");
  });

  test("the end of a pod that is told to stop is none", () => {
    expect(troubleOf(pod({ isStopping: true, state: { terminated: { exitCode: 143 } } }))).toBeUndefined();
  });

  test("what the revision says of itself comes after what its pods say", () => {
    const failed = {
      ...revision,
      status: {
        conditions: [
          { type: "Ready", status: "False" as const, reason: "ExitCode1", message: "boom\n  at line 1\n" },
        ],
      },
    };
    expect(revisionView(failed, { pods: [], sks: undefined, load }).trouble).toBe(
      "ExitCode1: boom / at line 1",
    );
  });
});

test("a condition that is true or undecided is no trouble", () => {
  expect(conditionTrouble(undefined)).toBeUndefined();
  expect(conditionTrouble({ type: "Ready", status: "Unknown", reason: "Deploying" })).toBeUndefined();
  expect(conditionTrouble({ type: "Ready", status: "False" })).toBe("Failed");
});
