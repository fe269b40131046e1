import { expect, test } from "vitest";
import { SeededRandom } from "../random.ts";
import { TimerWheel, WheelTimer } from "./timer-wheel.ts";
import { VirtualClock } from "./virtual-clock.ts";

class Recorded extends WheelTimer {
  readonly firedAtMs: number[] = [];
  timerFired(now: number): void {
    this.firedAtMs.push(now);
  }
}

test("a timer fires once, never early, at most a tick late", () => {
  const clock = new VirtualClock();
  using wheel = new TimerWheel(clock);
  for (const delayMs of [0, 1, 9, 10, 11, 5_119, 5_120, 5_121, 300_000]) {
    const timer = new Recorded();
    const dueMs = clock.now() + delayMs;
    wheel.arm(timer, delayMs);
    clock.advance(delayMs + 25);
    expect(timer.firedAtMs.length, `${delayMs} ms`).toBe(1);
    expect(timer.firedAtMs[0]).toBeGreaterThanOrEqual(dueMs);
    expect(timer.firedAtMs[0]).toBeLessThanOrEqual(dueMs + 20);
    clock.advance(10_000);
    expect(timer.firedAtMs.length).toBe(1);
  }
});

test("a disarmed timer does not fire, and an idle wheel leaves the clock alone", () => {
  const clock = new VirtualClock();
  using wheel = new TimerWheel(clock);
  const timer = new Recorded();
  wheel.arm(timer, 100);
  wheel.disarm(timer);
  wheel.disarm(timer);
  clock.advance(200);
  expect([timer.firedAtMs.length, wheel.count, clock.pendingTimers]).toEqual([0, 0, 0]);
});

test("a timer that arms itself again while it fires, fires again", () => {
  const clock = new VirtualClock();
  using wheel = new TimerWheel(clock);
  let fires = 0;
  class Repeating extends WheelTimer {
    timerFired(): void {
      if (++fires < 5) wheel.arm(this, 100);
    }
  }
  wheel.arm(new Repeating(), 100);
  clock.advance(1_000);
  expect([fires, clock.pendingTimers]).toEqual([5, 0]);
});

test("a timer may disarm another that is due at the same moment", () => {
  const clock = new VirtualClock();
  using wheel = new TimerWheel(clock);
  const other = new Recorded();
  class Disarming extends WheelTimer {
    timerFired(): void {
      wheel.disarm(other);
    }
  }
  wheel.arm(new Disarming(), 50);
  wheel.arm(other, 50);
  clock.advance(1_000);
  expect(other.firedAtMs).toEqual([]);
});

test("closed, it fires nothing and holds no timer of the clock", () => {
  const clock = new VirtualClock();
  const wheel = new TimerWheel(clock);
  const timer = new Recorded();
  wheel.arm(timer, 50);
  wheel.close();
  clock.advance(1_000);
  expect([timer.firedAtMs.length, clock.pendingTimers, timer.isArmed]).toEqual([0, 0, false]);
});

test.each(Array.from({ length: 30 }, (_, seed) => seed))(
  "it agrees with a plain list of deadlines: seed %i",
  (seed) => {
    const random = new SeededRandom(seed);
    const clock = new VirtualClock();
    using wheel = new TimerWheel(clock);
    const timers = Array.from({ length: 20 }, () => new Recorded());
    const due = new Map<Recorded, number>();
    for (let step = 0; step < 400; step++) {
      const timer = timers[random.integer(0, timers.length - 1)];
      if (timer === undefined) continue;
      if (random.chance(0.5)) {
        const delayMs = random.integer(0, random.chance(0.2) ? 60_000 : 300);
        wheel.arm(timer, delayMs);
        due.set(timer, clock.now() + delayMs);
      } else if (random.chance(0.3)) {
        wheel.disarm(timer);
        due.delete(timer);
      }
      clock.advance(random.integer(0, random.chance(0.05) ? 20_000 : 40));
      for (const each of timers) {
        for (const firedAtMs of each.firedAtMs.splice(0)) {
          const dueMs = due.get(each) ?? Number.NaN;
          expect(firedAtMs).toBeGreaterThanOrEqual(dueMs);
          expect(firedAtMs).toBeLessThanOrEqual(dueMs + 20);
          due.delete(each);
        }
      }
      for (const dueMs of due.values()) expect(dueMs).toBeGreaterThan(clock.now() - 20);
      expect(wheel.count).toBe(due.size);
    }
  },
);
