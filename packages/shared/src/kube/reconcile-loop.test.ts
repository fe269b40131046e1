import { describe, expect, test } from "vitest";
import { VirtualClock } from "../clock/virtual-clock.ts";
import { SeededRandom } from "../random.ts";
import { KubeError } from "./client.ts";
import { type ObjectKey, objectKey } from "./object.ts";
import { done, type Pass, ReconcileLoop } from "./reconcile-loop.ts";

const key = (name: string): ObjectKey => objectKey({ namespace: "n", name });

function setup(reconcile: (key: ObjectKey) => Promise<Pass> | Pass = () => done) {
  const clock = new VirtualClock();
  const passes: [string, number][] = [];
  const errors: string[] = [];
  const loop = new ReconcileLoop(
    {
      clock,
      onError: (_, failed, error) => errors.push(`${failed} ${error instanceof Error ? error.message : ""}`),
    },
    {
      name: "test",
      reconcile: async (one) => {
        passes.push([one.slice(2), clock.now()]);
        return await reconcile(one);
      },
    },
  );
  return { clock, loop, passes, errors };
}

/** A pass that lasts until it is told to end. */
function gates() {
  const waiting: { key: ObjectKey; end: (pass?: Pass) => void; fail: () => void }[] = [];
  const reconcile = (one: ObjectKey): Promise<Pass> =>
    new Promise((resolve, reject) =>
      waiting.push({
        key: one,
        end: (pass = done) => resolve(pass),
        fail: () => reject(new Error("failed")),
      }),
    );
  return { waiting, reconcile };
}

describe("a reconcile loop", () => {
  test("runs each key once however often it is added, in the order they came, after the code that added them", async () => {
    const { clock, loop, passes } = setup();
    for (const name of ["b", "a", "b", "c", "a"]) loop.add(key(name));
    expect(passes).toEqual([]);
    await clock.settle();
    expect(passes.map(([name]) => name)).toEqual(["b", "a", "c"]);
    expect(loop.pending).toBe(0);
  });

  test("runs two at a time, and never one key twice at once (C-11)", async () => {
    const { waiting, reconcile } = gates();
    const { clock, loop, passes } = setup(reconcile);
    for (const name of ["a", "b", "c"]) loop.add(key(name));
    await clock.settle();
    expect(passes.map(([name]) => name)).toEqual(["a", "b"]);
    loop.add(key("a"));
    loop.add(key("a"));
    waiting[0]?.end();
    await clock.settle();
    expect(passes.map(([name]) => name)).toEqual(["a", "b", "c"]);
    waiting[1]?.end();
    await clock.settle();
    expect(passes.map(([name]) => name)).toEqual(["a", "b", "c", "a"]);
  });

  test("runs resyncs only when nothing else waits, and a key waiting for both once", async () => {
    const { waiting, reconcile } = gates();
    const { clock, loop, passes } = setup(reconcile);
    for (const name of ["x", "y"]) loop.add(key(name));
    await clock.settle();
    loop.addSlow(key("slow"));
    loop.addSlow(key("both"));
    loop.add(key("fast"));
    loop.add(key("both"));
    loop.addSlow(key("both"));
    for (let i = 0; i < 10; i++) {
      for (const { end } of waiting.splice(0)) end();
      await clock.settle();
    }
    expect(passes.map(([name]) => name)).toEqual(["x", "y", "fast", "both", "slow"]);
  });

  test("tries a failed key again after 5 ms, doubling, and forgets failures with a success (C-10)", async () => {
    let failures = 4;
    const { clock, loop, passes, errors } = setup(() => {
      if (failures-- > 0) throw new Error("not yet");
      return done;
    });
    loop.add(key("a"));
    await clock.advanceAsync(1_000);
    expect(passes.map(([, at]) => at)).toEqual([0, 5, 15, 35, 75]);
    expect(errors).toEqual(Array.from({ length: 4 }, () => "n/a not yet"));
    failures = 1;
    loop.add(key("a"));
    await clock.advanceAsync(1_000);
    expect(passes.slice(5).map(([, at]) => at)).toEqual([1_000, 1_005]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("waits at most 1000 s between tries", async () => {
    const { clock, loop, passes } = setup(() => {
      throw new Error("never");
    });
    loop.add(key("a"));
    await clock.advanceAsync(10_000_000);
    const at = passes.map(([, time]) => time);
    const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(Math.max(...gaps)).toBe(1_000_000);
    loop[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  test("tries a conflict again without a word about it", async () => {
    let isStale = true;
    const { clock, loop, passes, errors } = setup(() => {
      if (!isStale) return done;
      isStale = false;
      throw new KubeError("Conflict", "stale");
    });
    loop.add(key("a"));
    await clock.advanceAsync(100);
    expect([passes.length, errors]).toEqual([2, []]);
  });

  test("runs a key that changes during its pass once more, also when the pass failed", async () => {
    const { waiting, reconcile } = gates();
    const { clock, loop, passes } = setup(reconcile);
    loop.add(key("a"));
    await clock.settle();
    loop.addSlow(key("a"));
    waiting.shift()?.fail();
    await clock.settle();
    expect(passes).toHaveLength(2);
  });

  test("runs again when a pass asks for it, at the earliest time asked for", async () => {
    let asks = [30, 10];
    const { clock, loop, passes } = setup(() => {
      const [afterMs, ...rest] = asks;
      asks = rest;
      return afterMs === undefined ? done : { kind: "again", afterMs };
    });
    loop.add(key("a"));
    await clock.settle();
    loop.addAfter(key("a"), 20); // sooner than the 30 asked for
    loop.addAfter(key("a"), 40); // no sooner
    await clock.advanceAsync(200);
    expect(passes.map(([, at]) => at)).toEqual([0, 20, 30]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("disposed begins nothing more, and leaves no timer", async () => {
    const { waiting, reconcile } = gates();
    const { clock, loop, passes } = setup(reconcile);
    loop.add(key("a"));
    loop.addAfter(key("later"), 10);
    await clock.settle();
    loop.add(key("a"));
    loop.add(key("b"));
    loop.add(key("c"));
    loop[Symbol.dispose]();
    waiting.shift()?.end({ kind: "again", afterMs: 5 });
    loop.add(key("d"));
    loop.addSlow(key("d"));
    loop.addAfter(key("d"), 1);
    await clock.advanceAsync(1_000);
    expect(passes.map(([name]) => name)).not.toContain("d");
    expect(passes.map(([name]) => name)).not.toContain("later");
    expect(clock.pendingTimers).toBe(0);
  });

  test("forgets nobody: the last change of each key is seen by a pass that began after it", async () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = new SeededRandom(seed);
      const clock = new VirtualClock();
      const version = new Map<ObjectKey, number>();
      const seen = new Map<ObjectKey, number>();
      const running = new Set<ObjectKey>();
      const loop = new ReconcileLoop(
        { clock, onError: () => {} },
        {
          name: "test",
          reconcile: async (one) => {
            expect(running.has(one)).toBe(false);
            running.add(one);
            const read = version.get(one) ?? 0;
            await new Promise<void>((resolve) => void clock.after(random.integer(0, 5), resolve));
            running.delete(one);
            if (random.chance(0.2)) throw new Error("chance");
            seen.set(one, read);
            return done;
          },
        },
      );
      for (let step = 0; step < 60; step++) {
        const one = key(String(random.integer(0, 4)));
        version.set(one, step);
        if (random.chance(0.3)) loop.addSlow(one);
        else loop.add(one);
        await clock.advanceAsync(random.integer(0, 4));
      }
      await clock.advanceAsync(60_000);
      expect(seen).toEqual(version);
      expect([loop.pending, clock.pendingTimers]).toEqual([0, 0]);
    }
  });
});
