import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readGroupUsage } from "./process-usage.ts";

/** One line of /proc/<pid>/stat as proc(5) lists its fields. */
function stat(pid: number, group: number, ticks: readonly number[], pages: number): string {
  const [user = 0, system = 0, children = 0, childrenSystem = 0] = ticks;
  const before = `${pid} (a) b (c) S 1 ${group} ${group} 0 -1 0 0 0 0 0`;
  return `${before} ${user} ${system} ${children} ${childrenSystem} 20 0 1 0 100 12345678 ${pages} 999`;
}

test("the processes of a group are summed, whatever their names; others are left out", () => {
  const root = mkdtempSync(join(tmpdir(), "rouse-proc-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [pid, group] of [
    [10, 10],
    [11, 10],
    [12, 12],
    [13, 13],
  ] as const) {
    mkdirSync(join(root, String(pid)));
    writeFileSync(join(root, String(pid), "stat"), stat(pid, group, [100, 50, 25, 25], 256));
  }
  mkdirSync(join(root, "14")); // ended meanwhile: no stat
  mkdirSync(join(root, "sys"));
  const usage = readGroupUsage(new Set([10, 12, 99]), root);
  expect(Object.fromEntries(usage)).toEqual({
    10: { cpuSeconds: 4, memoryBytes: 2 * 256 * 4_096, processes: 2 },
    12: { cpuSeconds: 2, memoryBytes: 256 * 4_096, processes: 1 },
  });
});

test("where there is no /proc nothing is known", () => {
  expect(readGroupUsage(new Set([1]), "/does/not/exist").size).toBe(0);
});
