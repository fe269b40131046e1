import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, RealClock, RealRandom } from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { rehearse } from "./rehearsal.ts";

test("a rehearsal wakes its services through the whole path and leaves nothing behind", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "rouse-rehearsal-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));

  expect(await rehearse({ clock: new RealClock(), random: new RealRandom() }, dataDir)).toBe(2);

  expect(readdirSync(dataDir)).toEqual([]);
});

test("a rehearsal that takes too long ends with all it has started", async () => {
  const clock = new RealClock();
  const listeners = (): number =>
    process.getActiveResourcesInfo().filter((resource) => resource === "TCPServerWrap").length;
  await expect.poll(listeners).toBe(0); // whatever the test before has left closes first
  let isFirst = true;
  const impatient: Clock = {
    now: () => clock.now(),
    wall: () => clock.wall(),
    soon: (run) => clock.soon(run),
    soonInBulk: () => {}, // so it never gets anywhere
    after: (delayMs, fire) => {
      const isLimit = isFirst; // the first thing it asks for
      isFirst = false;
      return clock.after(isLimit ? 50 : delayMs, fire);
    },
  };

  expect(await rehearse({ clock: impatient, random: new RealRandom() }, tmpdir())).toBe(0);

  await expect.poll(listeners).toBe(0);
});
