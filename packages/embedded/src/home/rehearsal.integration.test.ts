import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RealClock, RealRandom } from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { rehearse } from "./rehearsal.ts";

test("a rehearsal wakes its services through the whole path and leaves nothing behind", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "rouse-rehearsal-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));

  expect(await rehearse({ clock: new RealClock(), random: new RealRandom() }, dataDir)).toBe(2);

  expect(readdirSync(dataDir)).toEqual([]);
});
