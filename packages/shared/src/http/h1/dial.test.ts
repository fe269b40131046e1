import { expect, test } from "vitest";
import { VirtualClock } from "../../clock/virtual-clock.ts";
import type { ProxyError } from "../../errors/proxy-error.ts";
import { SeededRandom } from "../../random.ts";
import { UpstreamPool } from "../upstream-pool.ts";

/** TEST-NET-1: packets to it go nowhere. RFC 5737. Nothing is waited for: the clock is virtual. */
const NOWHERE = { ip: "192.0.2.1", port: 9 };

test("connecting that times out is tried sixteen times in about twenty seconds, and then it says so (Q-33)", () => {
  const clock = new VirtualClock();
  using pool = new UpstreamPool({ clock, random: new SeededRandom(1) }, NOWHERE);
  const failures: ProxyError[] = [];
  pool.dial({ connectionReady: () => {}, connectionFailed: (error) => failures.push(error) });
  clock.advance(19_000);
  expect(failures).toEqual([]);
  clock.advance(3_500);
  expect(failures.map(({ code }) => code)).toEqual(["upstream-dial-timeout"]);
  expect(failures[0]?.message).toMatch(/^timed out dialing 192\.0\.2\.1:9 after \d+\.\d\ds$/);
  expect(clock.pendingTimers).toBe(0);
});

test("given up, it tells nobody and leaves no timer", () => {
  const clock = new VirtualClock();
  using pool = new UpstreamPool({ clock, random: new SeededRandom(1) }, NOWHERE);
  let told = 0;
  const dial = pool.dial({ connectionReady: () => told++, connectionFailed: () => told++ });
  clock.advance(60); // in the pause behind the first attempt
  dial[Symbol.dispose]();
  clock.advance(60_000);
  expect([told, clock.pendingTimers]).toEqual([0, 0]);
});

test("a pool that closes tells those who wait that they may go elsewhere, in an attempt or between two", () => {
  for (const waitedMs of [0, 60]) {
    const clock = new VirtualClock();
    const pool = new UpstreamPool({ clock, random: new SeededRandom(1) }, NOWHERE);
    const told: string[] = [];
    pool.dial({
      connectionReady: () => told.push("ready"),
      connectionFailed: ({ code }) => told.push(`h1 ${code}`),
    });
    pool.sessions.take({
      sessionReady: () => told.push("ready"),
      sessionFailed: ({ code }) => told.push(`h2 ${code}`),
    });
    clock.advance(waitedMs);
    pool.close();
    expect(told).toEqual(["h1 upstream-closed", "h2 upstream-closed"]);
    expect(clock.pendingTimers).toBe(0);
  }
});

test("of many dials at once the last begin a little later, and those given up by then never", () => {
  const clock = new VirtualClock();
  using pool = new UpstreamPool({ clock, random: new SeededRandom(1) }, NOWHERE);
  const taker = { connectionReady: () => {}, connectionFailed: () => {} };
  const dials = Array.from({ length: 100 }, () => pool.dial(taker));
  expect(pool.openCount).toBe(64);
  for (const dial of dials.slice(70)) dial[Symbol.dispose]();
  clock.advance(0);
  expect(pool.openCount).toBe(70);
});
