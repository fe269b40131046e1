import { createServer, type Server } from "node:net";
import { type Logger, type Probe, silentLogger } from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { PassingClock } from "../../test/passing-clock.ts";
import { Readiness } from "./readiness.ts";

const RUN_MS = 10_000;

function run(clock: PassingClock, probes: readonly Probe[]) {
  const lines: string[] = [];
  const log: Logger = { ...silentLogger, warn: (line) => void lines.push(line) };
  const ready = new Readiness({ clock, log }, { userPort: 1, probes }).check();
  return { ready, lines };
}

async function port(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("Q-95, Q-104: nobody listens: asked at once, then ever more slowly up to 50 ms apart, for 10 s, and said in one line (E-13)", async () => {
  const clock = new PassingClock({ untilMs: RUN_MS });
  const closed = createServer();
  const at = await port(closed);
  await new Promise<void>((resolve) => closed.close(() => resolve()));
  const { ready, lines } = run(clock, [{ tcpSocket: { port: at } }]);
  expect(await ready).toBe(false);
  expect(clock.now()).toBe(RUN_MS);
  expect(clock.waits.slice(0, 5)).toEqual([1, 2, 4, 5, 5]);
  expect(clock.waits.toSorted((a, b) => a - b)).toEqual(clock.waits);
  expect([clock.waits.at(-1), clock.pendingTimers]).toEqual([50, 0]);
  expect(lines).toEqual([
    `aggressive probe error (failed ${clock.waits.length} times): connect ECONNREFUSED 127.0.0.1:${at}`,
  ]);
});

test("Q-95: an attempt that is not answered has 100 ms, and the next does not begin before it is over", async () => {
  const clock = new PassingClock({ waitMsMax: 100, untilMs: RUN_MS });
  const server = createServer((socket) => void socket.on("error", () => {}));
  onTestFinished(() => void server.close());
  const { ready, lines } = run(clock, [{ httpGet: { port: await port(server), path: "/" } }]);
  expect(await ready).toBe(false);
  expect(clock.now()).toBe(RUN_MS);
  expect(clock.waits.slice(0, 6)).toEqual([100, 1, 100, 2, 100, 4]);
  expect(lines).toEqual([
    expect.stringMatching(/^aggressive probe error \(failed \d+ times\): no answer within 100 ms$/),
  ]);
});
