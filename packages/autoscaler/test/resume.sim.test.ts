import { describe, expect, test } from "vitest";
import type { SnapshotStore } from "../src/index.ts";
import { parseSnapshot } from "../src/resume/snapshot.ts";
import { World } from "./world.ts";

const NAME = "hello-00001";

function store(): SnapshotStore & { text: string | undefined; saves: number } {
  return {
    text: undefined,
    saves: 0,
    load() {
      return Promise.resolve(this.text);
    },
    save(text) {
      this.text = text;
      this.saves++;
      return Promise.resolve();
    },
  };
}

/** Pods wanted each second of `seconds`, after a restart that took `awayMs`. */
async function afterRestart(
  awayMs: number,
  seconds: number,
  snapshots: SnapshotStore | undefined,
  load = 70,
) {
  const options = snapshots === undefined ? {} : { snapshots };
  await using world = await World.start(options);
  const revision = await world.addRevision(NAME, { containerConcurrency: 10 });
  await world.load(revision, load, 130);
  const before = world.replicas(NAME);
  await world.stopAutoscaler();
  await world.clock.advanceAsync(awayMs);
  await world.startAutoscaler(options);
  const desired: number[] = [];
  for (let second = 0; second < seconds; second++) {
    await world.load(revision, load, 1);
    const pods = world.autoscaler.explain(revision)?.decider.desiredPods;
    if (pods !== undefined) desired.push(pods);
  }
  return { before, desired, mode: world.autoscaler.explain(revision)?.decider.mode.kind };
}

describe("memory over a restart", () => {
  test.each([0, 1_000, 5_000, 20_000, 55_000])(
    "under steady load a restart of %i ms moves the pods wanted by one at most",
    async (awayMs) => {
      const { before, desired } = await afterRestart(awayMs, 70, store());
      expect(before).toBe(10);
      expect(desired.length).toBeGreaterThan(60);
      for (const pods of desired) expect(Math.abs(pods - before)).toBeLessThanOrEqual(1);
    },
  );

  test("without one the first decisions know nothing, and only panic keeps the pods (S-76)", async () => {
    expect((await afterRestart(1_000, 4, undefined)).mode).toBe("panicking");
    expect((await afterRestart(1_000, 4, store())).mode).toBe("calm");
  });

  test("after more than a window nothing is taken for load", async () => {
    const { mode } = await afterRestart(61_000, 4, store());
    expect(mode).toBe("panicking");
  });

  test("panic and its height are remembered", async () => {
    const snapshots = store();
    await using world = await World.start({ snapshots });
    const revision = await world.addRevision(NAME, { containerConcurrency: 10 });
    await world.load(revision, 10, 90);
    await world.load(revision, 100, 8);
    const before = world.autoscaler.explain(revision)?.decider;
    expect(before?.mode.kind).toBe("panicking");
    await world.stopAutoscaler();
    await world.startAutoscaler({ snapshots });
    expect(world.autoscaler.explain(revision)?.decider).toMatchObject({
      desiredPods: before?.desiredPods,
      excessBurstCapacity: before?.excessBurstCapacity,
      mode: { kind: "panicking" },
    });
  });

  test("a scale-down that is held back stays held back", async () => {
    const snapshots = store();
    await using world = await World.start({ snapshots });
    const annotations = { "autoscaling.knative.dev/scale-down-delay": "10m" };
    const revision = await world.addRevision(NAME, { containerConcurrency: 10, annotations });
    await world.load(revision, 70, 90);
    await world.stopAutoscaler();
    await world.startAutoscaler({ snapshots });
    await world.idle(150);
    expect(world.replicas(NAME)).toBe(10);
    await world.idle(600);
    expect(world.replicas(NAME)).toBeLessThan(10); // and no longer than that
  });

  test("is written every ten seconds while something is awake, and not at all while all sleep", async () => {
    const snapshots = store();
    await using world = await World.start({ snapshots });
    const revision = await world.addRevision(NAME);
    await world.load(revision, 10, 41);
    expect(snapshots.saves).toBe(4);
    await world.idle(200);
    const { saves } = snapshots;
    await world.idle(100);
    expect(snapshots.saves).toBe(saves);
  });

  test("one that cannot be read or written is none", async () => {
    const broken: SnapshotStore = {
      load: () => Promise.reject(new Error("no")),
      save: () => Promise.reject(new Error("no")),
    };
    await using world = await World.start({ snapshots: broken });
    const revision = await world.addRevision(NAME);
    await world.load(revision, 100, 30);
    expect(world.replicas(NAME)).toBe(2);
  });
});

test.each(["", "{}", "[1]", '{"version":2,"takenAt":1,"revisions":{}}', '{"version":1}'])(
  "%s is no snapshot",
  (text) => {
    expect(parseSnapshot(text)).toBeUndefined();
  },
);

test("of a snapshot what does not read well is left out", () => {
  const revisions = {
    "default/a": { collection: { silentSeconds: 0, concurrency: [1, "x"], rps: [1] } },
    "default/b": { decider: { desiredPods: 2, excessBurstCapacity: 1, held: [{ slotsAgo: 1 }] } },
  };
  const text = JSON.stringify({ version: 1, takenAt: 5, revisions });
  expect([...(parseSnapshot(text)?.revisions ?? [])]).toEqual([
    ["default/a", {}],
    ["default/b", { decider: { desiredPods: 2, excessBurstCapacity: 1, held: [] } }],
  ]);
});
