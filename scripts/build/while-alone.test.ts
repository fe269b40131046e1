import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { whileAlone } from "./while-alone.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "rouse-alone-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test("one works at a time, those who wait come after, and nothing is left behind", async () => {
  const path = folder();
  const first = Promise.withResolvers<void>();
  const order: string[] = [];
  const works = [
    whileAlone(path, async () => {
      order.push("first begins");
      await first.promise;
      order.push("first ends");
    }),
    whileAlone(path, async () => void order.push("second")),
  ];
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(["first begins"]);
  first.resolve();
  await Promise.all(works);
  expect(order).toEqual(["first begins", "first ends", "second"]);
  expect(existsSync(join(path, ".building"))).toBe(false);
});

test("work that fails lets the next one in, and so does a process that is gone", async () => {
  const path = folder();
  await expect(whileAlone(path, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  const { pid } = spawnSync(process.execPath, ["-e", "0"]);
  writeFileSync(join(path, ".building"), String(pid));
  expect(await whileAlone(path, async () => "done")).toBe("done");
});
