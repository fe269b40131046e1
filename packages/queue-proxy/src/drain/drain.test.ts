import { RecordingExchange, VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { Drain } from "./drain.ts";

function setUp(quietMs = 30_000, limitMs = Number.POSITIVE_INFINITY) {
  const clock = new VirtualClock();
  const drain = new Drain<undefined>(clock, { quietMs, limitMs });
  const enter = () => {
    const exchange = new RecordingExchange(undefined);
    drain.handle(exchange, () => {});
    return exchange;
  };
  const begin = () => {
    const times: number[] = [];
    void drain.begin().then(() => times.push(clock.now() / 1_000));
    return times;
  };
  return { clock, drain, enter, begin };
}

test("V-14, Q-110: requests at 10 s and 25 s put the end of the drain at 55 s", async () => {
  const { clock, drain, enter, begin } = setUp();
  const times = begin();
  expect(drain.isDraining).toBe(true);
  await clock.advanceAsync(10_000);
  enter();
  await clock.advanceAsync(15_000);
  enter();
  await clock.advanceAsync(100_000);
  expect(times).toEqual([55]);
  expect(clock.pendingTimers).toBe(0);
});

test("without a quiet time a drain is complete at once", async () => {
  const { clock, begin } = setUp(0);
  const times = begin();
  await clock.settle();
  expect([times, clock.pendingTimers]).toEqual([[0], 0]);
});

test("Q-111: a second drain joins the first; one after completion is at once", async () => {
  const { clock, begin } = setUp();
  const first = begin();
  await clock.advanceAsync(20_000);
  const second = begin();
  await clock.advanceAsync(20_000);
  const third = begin();
  await clock.settle();
  expect([first, second, third]).toEqual([[30], [30], [40]]);
});

test("V-14: a drain taken back lets go of who waits, and a later one starts afresh", async () => {
  const { clock, drain, begin } = setUp();
  const first = begin();
  await clock.advanceAsync(1_000);
  drain.reset();
  await clock.settle();
  expect([first, drain.isDraining]).toEqual([[1], false]);
  const second = begin();
  await clock.advanceAsync(40_000);
  expect(second).toEqual([31]);
});

test("idle waits for what is in flight, however it ends", async () => {
  const { clock, drain, enter } = setUp();
  const [first, second] = [enter(), enter()];
  let isIdle = false;
  void drain.idle().then(() => {
    isIdle = true;
  });
  first.clientLeaves();
  await clock.settle();
  expect([isIdle, drain.inFlight]).toEqual([false, 1]);
  second.respond({ status: 200 });
  await clock.settle();
  expect(isIdle).toBe(true);
});

test("Q-115: what keeps arriving holds the drain up to its limit and no longer (E-10)", async () => {
  const { clock, enter, begin } = setUp(30_000, 60_000);
  const times = begin();
  for (let second = 0; second < 100; second += 10) {
    enter();
    await clock.advanceAsync(10_000);
  }
  expect(times).toEqual([60]);
});

test("Q-112: who waits for the end of a drain waits for what still runs, within the limit (E-10)", async () => {
  const { clock, drain, enter } = setUp(30_000, 60_000);
  const done: string[] = [];
  const quick = enter();
  void drain.finish().then(() => done.push(`first ${clock.now() / 1_000}`));
  await clock.advanceAsync(40_000);
  expect(done).toEqual([]);
  quick.respond({ status: 200 });
  await clock.settle();
  expect(done).toEqual(["first 40"]);
  enter();
  void drain.finish().then(() => done.push(`second ${clock.now() / 1_000}`));
  await clock.advanceAsync(60_000);
  expect(done).toEqual(["first 40", "second 60"]);
});

test("Q-114: taking a drain back lets go of who waits for its end", async () => {
  const { clock, drain, enter } = setUp();
  enter();
  let isDone = false;
  void drain.finish().then(() => {
    isDone = true;
  });
  await clock.advanceAsync(1_000);
  drain.reset();
  await clock.settle();
  expect(isDone).toBe(true);
});

test("Q-116, Q-121: answers close their connections only in the last seconds of a drain, however it ends", async () => {
  const closes = (exchange: RecordingExchange<undefined>): boolean => {
    exchange.respond({ status: 200 });
    return exchange.closesAfterResponse;
  };
  const quiet = setUp();
  const [early, late] = [quiet.enter(), quiet.enter()];
  expect(closes(quiet.enter())).toBe(false);
  quiet.begin();
  await quiet.clock.advanceAsync(26_000);
  expect(closes(early)).toBe(false);
  await quiet.clock.advanceAsync(1_000);
  expect(closes(late)).toBe(true);
  expect(closes(quiet.enter())).toBe(false); // it has put the end off

  const limited = setUp(30_000, 10_000);
  limited.begin();
  await limited.clock.advanceAsync(7_499);
  expect(closes(limited.enter())).toBe(false);
  await limited.clock.advanceAsync(1);
  expect(closes(limited.enter())).toBe(true);
  limited.drain.reset();
  expect(closes(limited.enter())).toBe(false);
});
