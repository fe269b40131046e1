import { type MonoMs, revisionKey, type StatMessage } from "@rouse/shared";
import { expect, test } from "vitest";
import { Outbox } from "./outbox.ts";

const at = (ms: number): MonoMs => ms as MonoMs;
const message = (name: string, concurrency: number): StatMessage => ({
  revision: revisionKey({ namespace: "n", name }),
  stat: {
    podName: "activator",
    averageConcurrentRequests: concurrency,
    averageProxiedConcurrentRequests: 0,
    requestCount: concurrency,
    proxiedRequestCount: 0,
    processUptime: 0,
    timestamp: 0,
  },
});
const shown = (batch: readonly StatMessage[] | undefined) =>
  batch?.map(({ revision, stat }) => `${revision} ${stat.averageConcurrentRequests} ${stat.requestCount}`);

test("A-98: pokes first, one per revision, then the latest period and no older one", () => {
  const outbox = new Outbox();
  outbox.put([message("a", 5)], "period", at(0));
  outbox.put([message("a", 6), message("b", 1)], "period", at(1));
  outbox.put([message("c", 1)], "poke", at(2));
  outbox.put([message("c", 9), message("d", 1)], "poke", at(3));
  expect(shown(outbox.take(at(4)))).toEqual(["n/c 10 10", "n/d 1 1"]);
  expect(shown(outbox.take(at(4)))).toEqual(["n/a 6 6", "n/b 1 1"]);
  expect([outbox.take(at(4)), outbox.dropped]).toEqual([undefined, 1]);
});

test("A-97: without a connection a period is lost and a poke waits, for half a minute", () => {
  const outbox = new Outbox();
  outbox.put([message("a", 1)], "poke", at(0));
  outbox.put([message("b", 1)], "poke", at(20_000));
  outbox.put([message("a", 2)], "period", at(20_000));
  outbox.disconnected();
  expect(shown(outbox.take(at(30_000)))).toEqual(["n/b 1 1"]);
  expect([outbox.take(at(30_000)), outbox.dropped]).toEqual([undefined, 2]);
});
