import { silentLogger } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { call } from "../../test/client.ts";
import { ownIp } from "../../test/sidecar.ts";
import { startAdmin } from "./admin.ts";

/** An admin listener whose drain ends when the test says so, and who asks it. */
async function setUp({ mayAsk = true } = {}) {
  const clock = new VirtualClock();
  const ip = ownIp();
  const said: string[] = [];
  const drained = Promise.withResolvers<void>();
  const ending = { isEnding: false };
  const server = await startAdmin(
    {
      clock,
      log: { ...silentLogger, info: (message) => void said.push(message) },
      drain: {
        finish: () => {
          said.push("drain");
          return drained.promise;
        },
        reset: () => {
          said.push("reset");
          drained.resolve();
        },
      },
      isEnding: () => ending.isEnding,
      mayAsk: () => mayAsk,
    },
    ip,
  );
  const ask = (method = "GET") => call({ ip, port: 8022 }, { path: "/wait-for-drain", method });
  const heard = async (count: number): Promise<void> => {
    while (said.filter((line) => line === "drain").length < count) await clock.settle();
  };
  return { clock, said, drained, ending, ask, heard, [Symbol.asyncDispose]: () => server.close() };
}

test("Q-112, Q-113: once the signal has come, who waits is let go at the end of the drain and not before", async () => {
  await using admin = await setUp();
  let answered = 0;
  const waits = ["GET", "POST"].map((method) =>
    admin.ask(method).then(({ status, body }) => {
      answered++;
      return [status, body];
    }),
  );
  await admin.heard(2);
  admin.clock.advance(500);
  admin.ending.isEnding = true;
  await admin.clock.advanceAsync(60_000);
  expect([answered, admin.said.includes("reset")]).toEqual([0, false]);
  admin.drained.resolve();
  expect(await Promise.all(waits)).toEqual([
    [200, ""],
    [200, ""],
  ]);
});

test("Q-114: without a signal within a second the drain is taken back, and no sooner (E-18)", async () => {
  await using admin = await setUp();
  const wait = admin.ask();
  await admin.heard(1);
  await admin.clock.advanceAsync(999);
  expect(admin.said).not.toContain("reset");
  await admin.clock.advanceAsync(1);
  expect(admin.said).toContain("reset");
  expect((await wait).status).toBe(200);
});

test("E-12: who may not ask is told so, and nothing is drained", async () => {
  await using admin = await setUp({ mayAsk: false });
  expect(await admin.ask()).toMatchObject({ status: 403, body: "this address may not ask for a drain\n" });
  expect(admin.said).toEqual([]);
});
