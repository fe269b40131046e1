import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SnapshotFile } from "./snapshot-file.ts";

test("what was saved last is loaded, and before that nothing", async () => {
  const directory = mkdtempSync(join(tmpdir(), "rouse-snapshot-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = new SnapshotFile(directory);
  expect(await file.load()).toBeUndefined();
  await file.save("one");
  await file.save("two");
  expect(await new SnapshotFile(directory).load()).toBe("two");
  expect(readdirSync(directory)).toEqual(["autoscaler-windows.json"]);
});
