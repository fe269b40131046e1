import { createServer, type Server } from "node:net";
import { expect, test } from "vitest";
import type { Clock } from "../clock/clock.ts";
import { RealClock } from "../clock/real-clock.ts";
import { awaitReady } from "./await-ready.ts";

/** Longer ones limit an attempt, shorter ones are rests between attempts. */
const LONGEST_REST_MS = 50;

/** The machine's clock with rests cut to nothing, so that a test sees how long they would be and waits for none. */
class RestlessClock extends RealClock {
  readonly rests: number[] = [];

  override after(delayMs: number, fire: () => void): Disposable {
    if (delayMs > LONGEST_REST_MS) return super.after(delayMs, fire);
    this.rests.push(delayMs);
    return super.after(0, fire);
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

async function freePort(): Promise<number> {
  const server = await listen(0);
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === "object" && address !== null ? address.port : 0;
}

function wait(clock: Clock, port: number, signal: AbortSignal): Promise<boolean> {
  return awaitReady({ kind: "tcp", ip: "127.0.0.1", port }, { clock, signal, successThreshold: 1 });
}

test("attempts follow each other by 1, 2, 4 and then 5 ms, so an open port is noticed within 5 ms", async () => {
  const clock = new RestlessClock();
  const giveUp = new AbortController();
  const port = await freePort();
  const ready = wait(clock, port, giveUp.signal);
  while (clock.rests.length < 8) await new Promise((resolve) => setImmediate(resolve));
  expect(clock.rests.slice(0, 8)).toEqual([1, 2, 4, 5, 5, 5, 5, 5]);
  const server = await listen(port);
  expect(await ready).toBe(true);
  server.close();
});

test("one that is given up ends, not ready", async () => {
  const giveUp = new AbortController();
  const ready = wait(new RestlessClock(), await freePort(), giveUp.signal);
  giveUp.abort();
  expect(await ready).toBe(false);
});
