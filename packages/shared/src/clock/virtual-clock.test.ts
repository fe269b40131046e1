import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRfc3339, rfc3339 } from "./clock.ts";
import { VirtualClock } from "./virtual-clock.ts";

describe("virtual time", () => {
  test("fires timers by their time, then by the order they were made, each at its own time", () => {
    const clock = new VirtualClock();
    const fired: [string, number][] = [];
    const arm = (name: string, delayMs: number): Disposable =>
      clock.after(delayMs, () => fired.push([name, clock.now()]));
    arm("b", 20);
    arm("a", 10);
    arm("c", 20);
    arm("late", 31);
    clock.advance(30);
    expect(fired).toEqual([
      ["a", 10],
      ["b", 20],
      ["c", 20],
    ]);
    expect(clock.now()).toBe(30);
    expect(clock.pendingTimers).toBe(1);
  });

  test("a disposed timer never fires, and disposing is harmless at any time", () => {
    const clock = new VirtualClock();
    let fired = 0;
    const timer = clock.after(10, () => fired++);
    const other = clock.after(10, () => timer[Symbol.dispose]());
    timer[Symbol.dispose]();
    timer[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(1);
    clock.advance(10);
    other[Symbol.dispose]();
    expect(fired).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a timer armed by a timer fires within the same advance if it is due", () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    clock.after(10, () => {
      fired.push(clock.now());
      clock.after(5, () => fired.push(clock.now()));
      clock.after(50, () => fired.push(clock.now()));
    });
    clock.advance(30);
    expect(fired).toEqual([10, 15]);
  });

  test("a negative delay is none, and the wall moves along", () => {
    const clock = new VirtualClock();
    let fired = false;
    clock.after(-5, () => {
      fired = true;
    });
    clock.advance(0);
    expect(fired).toBe(true);
    clock.advance(61_000);
    expect(rfc3339(clock.wall())).toBe("2026-01-01T00:01:01Z");
  });

  test("what is to run soon runs in its order, before and between timers, never at once", () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    clock.after(1, () => {
      ran.push("first timer");
      clock.soon(() => ran.push("soon after it"));
    });
    clock.after(1, () => ran.push("second timer"));
    clock.soon(() => {
      ran.push("a");
      clock.soon(() => ran.push("c"));
    });
    clock.soon(() => ran.push("b"));
    expect(ran).toEqual([]);
    clock.advance(1);
    expect(ran).toEqual(["a", "b", "c", "first timer", "soon after it", "second timer"]);
  });

  test("settling follows promises and what they run soon to the end, without time", async () => {
    const clock = new VirtualClock();
    let steps = 0;
    const step = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) await Promise.resolve();
      if (++steps < 200) clock.soon(() => void step());
    };
    void step();
    await clock.settle();
    expect(steps).toBe(200);
    expect(clock.now()).toBe(0);
  });

  test("advancing with promises lets them settle between timers", async () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    const loop = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await new Promise<void>((resolve) => void clock.after(10, resolve));
        times.push(clock.now());
      }
    };
    void loop();
    await clock.advanceAsync(100);
    expect(times).toEqual([10, 20, 30]);
    expect(clock.now()).toBe(100);
  });

  test("agrees with a sorted list, whatever is armed and disposed", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("arm" as const), delayMs: fc.nat(50) }),
      fc.record({ kind: fc.constant("dispose" as const), which: fc.nat() }),
      fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(30) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const clock = new VirtualClock();
        const fired: number[] = [];
        const wanted: number[] = [];
        let armed: { id: number; dueAt: number; timer: Disposable }[] = [];
        let next = 0;
        for (const one of steps) {
          if (one.kind === "arm") {
            const id = next++;
            armed.push({
              id,
              dueAt: clock.now() + one.delayMs,
              timer: clock.after(one.delayMs, () => fired.push(id)),
            });
          } else if (one.kind === "dispose") {
            const [gone] = armed.splice(one.which % Math.max(1, armed.length), 1);
            gone?.timer[Symbol.dispose]();
          } else {
            const until = clock.now() + one.ms;
            clock.advance(one.ms);
            const due = armed
              .filter(({ dueAt }) => dueAt <= until)
              .sort((a, b) => a.dueAt - b.dueAt || a.id - b.id);
            wanted.push(...due.map(({ id }) => id));
            armed = armed.filter(({ dueAt }) => dueAt > until);
          }
          expect(fired).toEqual(wanted);
          expect(clock.pendingTimers).toBe(armed.length);
        }
      }),
    );
  });
});

describe("RFC 3339", () => {
  test("has whole seconds in UTC, and is read with fractions and offsets", () => {
    const at = parseRfc3339("2026-01-02T03:04:05.678+01:00");
    expect(at).toBe(Date.UTC(2026, 0, 2, 2, 4, 5, 678));
    expect(at === undefined ? "" : rfc3339(at)).toBe("2026-01-02T02:04:05Z");
    expect(parseRfc3339("soon")).toBeUndefined();
  });
});
