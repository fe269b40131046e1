import { describe, expect, test } from "vitest";
import { VirtualClock } from "../clock/virtual-clock.ts";
import { SeededRandom } from "../random.ts";
import { BreakerCore } from "./breaker-core.ts";

describe("breaker core", () => {
  test("V-4: depth 1 and concurrency 1 take one running, one waiting and reject the third", () => {
    const breaker = new BreakerCore({ queueDepth: 1, maxConcurrency: 1 }, 1);
    expect([breaker.admit(), breaker.admit(), breaker.admit()]).toEqual(["run", "queue", "reject"]);
  });

  test("V-4: waiters cancelled at capacity 0 leave no trace", () => {
    const breaker = new BreakerCore({ queueDepth: 1, maxConcurrency: 1 }, 0);
    expect([breaker.admit(), breaker.admit(), breaker.admit()]).toEqual(["queue", "queue", "reject"]);
    breaker.abandon();
    breaker.abandon();
    expect(breaker.setCapacity(1)).toBe(0);
    expect([breaker.admit(), breaker.admit(), breaker.admit()]).toEqual(["run", "queue", "reject"]);
  });

  test.each([1, 2, 10])("Q-42: at concurrency %i at most eleven times as many are inside", (concurrency) => {
    const breaker = new BreakerCore(
      { queueDepth: 10 * concurrency, maxConcurrency: concurrency },
      concurrency,
    );
    let inside = 0;
    while (breaker.admit() !== "reject") inside++;
    expect(inside).toBe(11 * concurrency);
    expect([breaker.running, breaker.queued]).toEqual([concurrency, 10 * concurrency]);
  });

  test("Q-45: a freed place is the waiter's, so a newcomer queues behind (E-7)", () => {
    const breaker = new BreakerCore({ queueDepth: 10, maxConcurrency: 1 }, 1);
    breaker.admit();
    breaker.admit();
    expect(breaker.release()).toBe(1);
    expect(breaker.admit()).toBe("queue");
  });

  test("Q-47: lowering capacity interrupts nobody and delays the next", () => {
    const breaker = new BreakerCore({ queueDepth: 10, maxConcurrency: 3 }, 3);
    for (let i = 0; i < 4; i++) breaker.admit();
    expect(breaker.setCapacity(1)).toBe(0);
    expect([breaker.release(), breaker.release(), breaker.release()]).toEqual([0, 0, 1]);
  });

  test("raising capacity wakes as many as fit", () => {
    const breaker = new BreakerCore({ queueDepth: 10, maxConcurrency: 5 }, 0);
    for (let i = 0; i < 3; i++) breaker.admit();
    expect(breaker.setCapacity(2)).toBe(2);
    expect(breaker.setCapacity(5)).toBe(1);
  });

  test.each([
    { why: "queue depth below 1", make: () => new BreakerCore({ queueDepth: 0, maxConcurrency: 1 }, 1) },
    { why: "negative concurrency", make: () => new BreakerCore({ queueDepth: 1, maxConcurrency: -1 }, 0) },
    { why: "capacity out of range", make: () => new BreakerCore({ queueDepth: 1, maxConcurrency: 1 }, 2) },
    {
      why: "release without admit",
      make: () => new BreakerCore({ queueDepth: 1, maxConcurrency: 1 }, 1).release(),
    },
    {
      why: "abandon without a waiter",
      make: () => new BreakerCore({ queueDepth: 1, maxConcurrency: 1 }, 1).abandon(),
    },
  ])("Q-50: $why is a programming error", ({ why, make }) => {
    expect(make).toThrow(why);
  });

  test.each(Array.from({ length: 200 }, (_, seed) => seed))(
    "never over capacity, no idle slot beside a waiter, nobody forgotten: seed %i",
    (seed) => {
      const random = new SeededRandom(seed);
      const clock = new VirtualClock();
      const breaker = new BreakerCore({ queueDepth: 3, maxConcurrency: 4 }, 0);
      let capacity = 0;
      const start = (count: number): void => {
        if (count > 0) expect(breaker.running).toBeLessThanOrEqual(capacity);
        for (let left = count; left > 0; left--) {
          clock.after(random.integer(1, 20), () => start(breaker.release()));
        }
      };
      for (let step = 0; step < 500; step++) {
        const isResize = random.chance(0.1);
        const isAbandon = random.chance(0.1) && breaker.queued > 0;
        if (isResize) {
          capacity = random.integer(0, 4);
          start(breaker.setCapacity(capacity));
        } else if (isAbandon) breaker.abandon();
        else if (breaker.admit() === "run") start(1);
        clock.advance(random.integer(0, 5));
        expect(breaker.running + breaker.queued).toBeLessThanOrEqual(3 + 4);
        if (breaker.queued > 0) expect(breaker.running).toBeGreaterThanOrEqual(capacity);
      }
      capacity = 4;
      start(breaker.setCapacity(capacity));
      clock.advance(10_000);
      expect([breaker.running, breaker.queued, clock.pendingTimers]).toEqual([0, 0, 0]);
    },
  );
});
