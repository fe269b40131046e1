import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MonoMs } from "../clock/clock.ts";
import { LinearWindow } from "./linear-window.ts";
import { panicWindowSeconds } from "./panic-window.ts";
import type { TimedWindow } from "./timed-window.ts";
import { decayCoefficient, WeightedWindow } from "./weighted-window.ts";

/** Any instant inside second `second`. */
const at = (second: number, intoMs = 0): MonoMs => (second * 1_000 + intoMs) as MonoMs;

function recorded(window: TimedWindow, values: readonly number[], from: number): TimedWindow {
  for (const [index, value] of values.entries())
    window.record(value, at(from + index, (137 * index) % 1_000));
  return window;
}

describe("linear window", () => {
  test("averages a young series over its real age, then over the window (V-35)", () => {
    const window = new LinearWindow(5);
    window.record(1, at(100));
    expect(window.average(at(100))).toBe(1);
    recorded(window, [2, 3, 4, 5], 101);
    expect(window.average(at(104))).toBe(3);
    expect(window.average(at(106, 999))).toBe(4);
    expect(window.average(at(110))).toBe(0);
    window.record(91, at(106));
    expect(window.average(at(106))).toBe(20.6);
  });

  test("takes values of the past while they are inside the window (V-35)", () => {
    const window = recorded(new LinearWindow(5), [1, 2, 3, 4, 5], 40);
    window.record(1984, at(100));
    expect(window.average(at(100))).toBe(1984);
    window.record(4, at(97));
    expect(window.average(at(100))).toBe((4 + 1984) / 4);
    window.record(5, at(101));
    expect(window.average(at(101))).toBe((4 + 1984 + 5) / 5);
    window.record(10, at(98));
    expect(window.average(at(101))).toBe((4 + 10 + 1984 + 5) / 5);
    window.record(77, at(96));
    window.record(77, at(95));
    expect(window.average(at(101))).toBe((4 + 10 + 1984 + 5) / 5);
    window.record(10, at(106));
    expect(window.average(at(106))).toBe(10);
  });

  test("keeps what fits when its length changes (V-36)", () => {
    const window = recorded(new LinearWindow(5), [2, 3, 4, 5, 6], 10);
    window.resize(10, at(14));
    expect(window.average(at(14))).toBe(4);
    window.record(7, at(15));
    expect(window.average(at(15))).toBe(4.5);
    window.resize(4, at(15));
    expect(window.average(at(15))).toBe(5.5);
  });

  test("a young series stays young when the window grows (S-63)", () => {
    const window = recorded(new LinearWindow(60), [8, 8], 10);
    window.resize(120, at(11));
    expect(window.average(at(11))).toBe(8);
  });

  test("forgets what is older than the former window when its length changes (S-63)", () => {
    const window = recorded(new LinearWindow(5), [2], 10);
    window.resize(60, at(16));
    expect(window.average(at(16))).toBe(0);
    expect(window.isEmpty(at(16))).toBe(true);
  });

  test("6 s and 2 s over 5..14 give 11.5 and 13.5, and one second adds up (V-37, S-57)", () => {
    const values = [5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
    expect(recorded(new LinearWindow(6), values, 0).average(at(9))).toBe(11.5);
    expect(recorded(new LinearWindow(2), values, 0).average(at(9))).toBe(13.5);
    const window = new LinearWindow(2);
    window.record(1, at(3, 10));
    window.record(10, at(3, 990));
    expect(window.average(at(3))).toBe(11);
  });

  test("is empty once the newest value is more than a window old (S-62)", () => {
    const window = new LinearWindow(5);
    expect(window.isEmpty(at(0))).toBe(true);
    window.record(0, at(10));
    expect(window.isEmpty(at(15))).toBe(false);
    expect(window.isEmpty(at(16))).toBe(true);
  });
});

describe("weighted window", () => {
  test.each([
    { seconds: 6, want: 0.784557 },
    { seconds: 5, want: 0.841511 },
    { seconds: 40, want: 0.205672 },
    { seconds: 42, want: 0.2 },
    { seconds: 600, want: 0.2 },
  ])("the coefficient of $seconds s is $want (V-38)", ({ seconds, want }) => {
    expect(decayCoefficient(seconds)).toBeCloseTo(want, 6);
  });

  test("new seconds weigh more, and silence decays (V-38)", () => {
    const window = recorded(new WeightedWindow(5), [1, 2, 3, 4, 5, 6], 10);
    expect(window.average(at(15))).toBeCloseTo(5.812, 3);
    const single = new WeightedWindow(5);
    const c = decayCoefficient(5);
    single.record(2, at(0));
    expect(single.average(at(0))).toBeCloseTo(2 * c, 12);
    expect(single.average(at(1))).toBeCloseTo(2 * c * (1 - c), 12);
    expect(single.average(at(5))).toBe(0);
  });

  test("its coefficient follows its length (S-63)", () => {
    const window = recorded(new WeightedWindow(5), [3], 0);
    window.resize(6, at(0));
    expect(window.average(at(0))).toBeCloseTo(3 * decayCoefficient(6), 12);
  });
});

test.each([
  { stable: 10_000, percent: 10, want: 1 },
  { stable: 60_000, percent: 10, want: 6 },
  { stable: 60_000, percent: 50, want: 30 },
  { stable: 60_000, percent: 51, want: 31 },
  { stable: 600_000, percent: 10, want: 60 },
  { stable: 6_000, percent: 1, want: 1 },
])("the panic window of $stable ms at $percent % is $want s (V-39, S-56)", ({ stable, percent, want }) => {
  expect(panicWindowSeconds(stable, percent)).toBe(want);
});

describe("the ring against a plain list", () => {
  interface Entry {
    readonly second: number;
    readonly value: number;
  }
  /** The obvious implementation: every value ever accepted, looked through on each question. */
  class ListWindow {
    readonly #seconds: number;
    readonly #entries: Entry[] = [];
    constructor(seconds: number) {
      this.#seconds = seconds;
    }
    get #last(): number {
      return Math.max(...this.#entries.map(({ second }) => second));
    }
    record(value: number, second: number): void {
      if (this.#entries.length > 0 && second <= this.#last - this.#seconds) return;
      if (this.#entries.length > 0 && second - this.#last >= this.#seconds) this.#entries.length = 0;
      this.#entries.push({ second, value });
    }
    average(now: number): number {
      if (this.#entries.length === 0) return 0;
      const last = this.#last;
      const until = Math.max(now, last);
      const first = Math.min(...this.#entries.map(({ second }) => second));
      const oldest = Math.max(first, until - this.#seconds + 1, last - this.#seconds + 1);
      // The age ends at the newest value, but never begins before what is still inside the window.
      const known = Math.min(last - first + 1, this.#seconds - (until - last));
      if (known <= 0) return 0;
      const live = this.#entries.filter(({ second }) => second >= oldest);
      return live.reduce((total, { value }) => total + value, 0) / known;
    }
    weighted(now: number, c: number): number {
      if (this.#entries.length === 0) return 0;
      const last = this.#last;
      const silent = Math.max(0, now - last);
      return this.#entries
        .map(({ second, value }) => ({ back: last - second, value }))
        .filter(({ back }) => back < this.#seconds - silent)
        .reduce((total, { back, value }) => total + value * c * (1 - c) ** (silent + back), 0);
    }
  }
  const event = fc.record({
    gap: fc.oneof(fc.nat(3), fc.nat(12)),
    late: fc.oneof(fc.constant(0), fc.nat(8)),
    value: fc.nat(50),
    unread: fc.nat(8),
  });

  test("linear and weighted agree with it, whatever comes late or not at all (S-58..S-60)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.array(event, { maxLength: 60 }), (seconds, events) => {
        const linear = new LinearWindow(seconds);
        const weighted = new WeightedWindow(seconds);
        const list = new ListWindow(seconds);
        let now = 50;
        for (const { gap, late, value, unread } of events) {
          now += gap;
          linear.record(value, at(now - late, 500));
          weighted.record(value, at(now - late, 500));
          list.record(value, now - late);
          const asked = now + unread;
          expect(linear.average(at(asked))).toBeCloseTo(list.average(asked), 6);
          expect(weighted.average(at(asked))).toBeCloseTo(list.weighted(asked, decayCoefficient(seconds)), 9);
        }
      }),
    );
  });

  test("growing and shrinking back loses nothing that fits the smaller length (S-63)", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat(9), { minLength: 1, maxLength: 20 }),
        (small, extra, values) => {
          const window = recorded(new LinearWindow(small), values, 0);
          const now = at(values.length - 1);
          const before = window.average(now);
          window.resize(small + extra, now);
          window.resize(small, now);
          expect(window.average(now)).toBe(before);
        },
      ),
    );
  });
});
