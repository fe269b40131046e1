import { type LogFields, type Logger, silentLogger } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { type ShutDownParts, shutDown } from "./shut-down.ts";

const never = new Promise<void>(() => {});

/** A shutdown whose parts say when they were asked, in seconds; each is over at once unless told. */
function setUp(parts: Partial<ShutDownParts> = {}, clock = new VirtualClock()) {
  const said: string[] = [];
  const at = (what: string): void => void said.push(`${clock.now() / 1_000} ${what}`);
  const line = (message: string, fields?: LogFields): void =>
    at(`${message}${fields === undefined ? "" : ` ${JSON.stringify(fields)}`}`);
  const log: Logger = { ...silentLogger, info: line, warn: line };
  const passed = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
  const done = shutDown(
    { clock, log, quietMs: 30_000 },
    {
      quiet: () => passed(30_000),
      listeners: [
        { name: "main", drain: async () => at("main stops") },
        { name: "admin", drain: async () => at("admin stops") },
      ],
      closeTunnels: () => at("tunnels told"),
      idle: async () => at("idle"),
      inFlight: () => 3,
      restMs: () => Number.POSITIVE_INFINITY,
      flush: async () => at("flush"),
      ...parts,
    },
  ).then(() => at("end"));
  return { clock, said, done };
}

test("Q-117, Q-118, Q-143: the steps of the end come in their order: nothing stops before traffic has moved away", async () => {
  const { clock, said } = setUp();
  await clock.advanceAsync(29_999);
  expect(said).toEqual([
    "0 Received TERM signal, attempting to gracefully shutdown servers.",
    "0 Sleeping 30s to allow K8s propagation of non-ready state",
  ]);
  await clock.advanceAsync(1);
  expect(said.slice(2)).toEqual([
    "30 Shutting down server: main",
    "30 main stops",
    "30 Shutting down server: admin",
    "30 admin stops",
    "30 idle",
    "30 Shutdown complete, exiting...",
    "30 flush",
    "30 end",
  ]);
  expect(clock.pendingTimers).toBe(0);
});

test("Q-119, Q-120, Q-121: what still runs a minute later is said and left; tunnels are told before it", async () => {
  const { clock, said } = setUp({ idle: () => never });
  await clock.advanceAsync(200_000);
  expect(said.filter((line) => !line.includes("stop") && !line.includes("Shutting"))).toEqual([
    "0 Received TERM signal, attempting to gracefully shutdown servers.",
    "0 Sleeping 30s to allow K8s propagation of non-ready state",
    "85 tunnels told",
    '90 Hijack connection drain failed {"running":3}',
    "90 Shutdown complete, exiting...",
    "90 flush",
    "90 end",
  ]);
});

test("Q-115: of a pod that has 50 s left nothing is waited for beyond them (E-10)", async () => {
  const clock = new VirtualClock();
  const { said } = setUp({ restMs: () => Math.max(0, 50_000 - clock.now()), idle: () => never }, clock);
  await clock.advanceAsync(200_000);
  expect(said.filter((line) => /tunnels|Hijack|end$/.test(line))).toEqual([
    "45 tunnels told",
    "45 tunnels told",
    '50 Hijack connection drain failed {"running":3}',
    "50 end",
  ]);
});

test("Q-153: exporters have ten seconds at the end, and no more", async () => {
  const { clock, said, done } = setUp({ flush: () => never });
  await clock.advanceAsync(60_000);
  await done;
  expect(said.at(-1)).toBe("40 end");
  expect(clock.pendingTimers).toBe(0);
});
