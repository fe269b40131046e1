import { expect, test } from "vitest";
import { TimerWheel } from "../clock/timer-wheel.ts";
import { VirtualClock } from "../clock/virtual-clock.ts";
import { RecordingExchange } from "../testing/recording-exchange.ts";
import { Deadline, type DurationLimits, LimitDuration } from "./limit-duration.ts";

const upstream = { ip: "127.0.0.1", port: 1 };
/** The wheel fires up to this late, never early. */
const LATE_MS = 10;

function setUp(limits: Partial<DurationLimits>) {
  const clock = new VirtualClock();
  const wheel = new TimerWheel(clock);
  const ended: string[] = [];
  const layer = new LimitDuration<{ readonly deadline: Deadline }>(
    { clock, wheel },
    {
      limitsOf: () => ({ timeoutMs: 0, responseStartTimeoutMs: 0, idleTimeoutMs: 0, ...limits }),
      message: "request timeout",
      exceeded: (_, limit) => ended.push(limit),
    },
  );
  const exchange = new RecordingExchange({ deadline: new Deadline() });
  layer.handle(exchange, () => exchange.forward(upstream));
  return { clock, wheel, ended, exchange };
}

test.each([
  { limits: { timeoutMs: 10_000 }, silentMs: 12_000, limit: "total" },
  { limits: { timeoutMs: 60_000, responseStartTimeoutMs: 7_000 }, silentMs: 15_000, limit: "response-start" },
  { limits: { timeoutMs: 60_000, idleTimeoutMs: 7_000 }, silentMs: 20_000, limit: "idle" },
])("V-7: $limit: a program silent for $silentMs ms gives 504", ({ limits, silentMs, limit }) => {
  const { clock, exchange, ended, wheel } = setUp(limits);
  const firstMs = Math.min(...Object.values(limits));
  clock.advance(firstMs - 1);
  expect(exchange.answer).toBeUndefined();
  clock.advance(1 + LATE_MS);
  expect(exchange.answer).toEqual({ status: 504, body: "request timeout" });
  clock.advance(silentMs);
  expect([ended, wheel.count]).toEqual([[limit], 0]);
});

test("V-7: a first byte in time satisfies the response start limit", () => {
  const { clock, exchange, ended } = setUp({ timeoutMs: 60_000, responseStartTimeoutMs: 50 });
  clock.advance(10);
  exchange.upstreamStarts(200);
  clock.advance(200);
  exchange.upstreamCompletes();
  expect([exchange.outcome?.kind, ended]).toEqual(["completed", []]);
});

test("V-7: writes every 99 ms keep an idle limit of 100 ms away", () => {
  const { clock, exchange, ended } = setUp({ idleTimeoutMs: 100 });
  for (let i = 0; i < 20; i++) {
    clock.advance(99);
    if (i === 0) exchange.upstreamStarts(200);
    else exchange.upstreamSends(1);
  }
  exchange.upstreamCompletes();
  expect([exchange.outcome?.kind, ended]).toEqual(["completed", []]);
});

test("V-7: one write, then silence: the client is cut off, not given a clean end", () => {
  const { clock, exchange, ended } = setUp({ idleTimeoutMs: 100 });
  clock.advance(50);
  exchange.upstreamStarts(200);
  exchange.upstreamSends(5);
  clock.advance(100 + LATE_MS);
  expect([exchange.outcome?.kind, exchange.answer, ended]).toEqual(["aborted", undefined, ["idle"]]);
});

test("Q-51: 1xx counts as a write, so a later 504 is still possible", () => {
  const { clock, exchange } = setUp({ timeoutMs: 1_000, responseStartTimeoutMs: 100 });
  exchange.upstreamStarts(103);
  clock.advance(500);
  expect(exchange.answer).toBeUndefined();
  clock.advance(600);
  expect(exchange.answer?.status).toBe(504);
});

test("Q-60: a busy tunnel outlives its idle limit and ends at the total one", () => {
  const { clock, exchange, ended } = setUp({
    timeoutMs: 1_000,
    responseStartTimeoutMs: 50,
    idleTimeoutMs: 100,
  });
  exchange.upstreamStarts(101);
  for (let i = 0; i < 19; i++) {
    clock.advance(50);
    exchange.upstreamSends(1);
  }
  expect(ended).toEqual([]);
  clock.advance(50 + LATE_MS);
  expect([exchange.outcome?.kind, ended]).toEqual(["aborted", ["total"]]);
});

test("Q-52: the idle limit runs from the last write, whenever that was, and does not drift", () => {
  const { clock, exchange, ended } = setUp({ idleTimeoutMs: 1_000 });
  clock.advance(1);
  exchange.upstreamStarts(200);
  for (let write = 0; write < 50; write++) {
    clock.advance(write % 2 === 0 ? 990 : 3);
    exchange.upstreamSends(1);
  }
  clock.advance(999);
  expect(ended).toEqual([]);
  clock.advance(1 + LATE_MS);
  expect(ended).toEqual(["idle"]);
});

test.each(["timeoutMs", "responseStartTimeoutMs", "idleTimeoutMs"])(
  "Q-57: what is complete is never followed by a timeout: %s",
  (limit) => {
    const { clock, exchange, ended, wheel } = setUp({ [limit]: 1_000 });
    clock.advance(999);
    exchange.upstreamCompletes(200);
    clock.advance(10_000);
    expect([exchange.outcome?.kind, exchange.answer, ended, wheel.count]).toEqual([
      "completed",
      undefined,
      [],
      0,
    ]);
  },
);

test("Q-53: no limits, no timer", () => {
  expect(setUp({}).wheel.count).toBe(0);
});

test("an exchange that ends takes its deadline with it", () => {
  const { exchange, wheel } = setUp({ timeoutMs: 1_000 });
  exchange.clientLeaves();
  expect(wheel.count).toBe(0);
});
