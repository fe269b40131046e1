import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { monoOriginMs, RealClock } from "./real-clock.ts";

/** The longest delay Node's own timers know; a longer one they would fire after 1 ms. */
const TIMER_MS_MAX = 2 ** 31 - 1;

describe("the machine's clock", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "hrtime"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("fires once, when the delay is over", () => {
    let fired = 0;
    new RealClock().after(50, () => fired++);
    vi.advanceTimersByTime(49);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(1_000);
    expect(fired).toBe(1);
  });

  test("never fires what was disposed", () => {
    let fired = 0;
    const timer = new RealClock().after(50, () => fired++);
    timer[Symbol.dispose]();
    vi.advanceTimersByTime(100);
    expect(fired).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("takes delays longer than Node's timers in steps", () => {
    let fired = 0;
    const timer = new RealClock().after(2 * TIMER_MS_MAX + 10, () => fired++);
    vi.advanceTimersByTime(2 * TIMER_MS_MAX);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(10);
    expect(fired).toBe(1);
    new RealClock().after(3 * TIMER_MS_MAX, () => fired++)[Symbol.dispose]();
    timer[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("runs soon in order, after what runs now", async () => {
    const clock = new RealClock();
    const ran: string[] = [];
    clock.soon(() => ran.push("a"));
    clock.soon(() => ran.push("b"));
    ran.push("now");
    await Promise.resolve();
    expect(ran).toEqual(["now", "a", "b"]);
  });

  test("readings can be put on the wall clock", () => {
    vi.useRealTimers();
    const at = monoOriginMs() + new RealClock().now();
    expect(Math.abs(at - Date.now())).toBeLessThan(1_000);
  });

  test("work in bulk is done at once, until it has kept the event loop for long", async () => {
    vi.useRealTimers();
    const clock = new RealClock();
    const ran: string[] = [];
    clock.soonInBulk(() => {
      ran.push("first");
      const until = performance.now() + 10;
      while (performance.now() < until);
      clock.soonInBulk(() => ran.push("second"));
    });
    await Promise.resolve();
    await Promise.resolve();
    expect(ran).toEqual(["first"]);
    setImmediate(() => ran.push("outside"));
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(ran).toContain("second");
  });
});
