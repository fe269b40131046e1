import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { objectKey } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { ProcessRecords } from "./process-records.ts";
import { ProcessUsage, parseProcessUse } from "./process-usage.ts";

test("a line of /proc is read whatever the program is called", () => {
  const fields = "S 1 77 77 0 -1 0 0 0 0 0 250 50 0 0 20 0 7 0 12345 1000000 256 0";
  expect(parseProcessUse(`77 (a) b (c) ${fields}`)).toEqual({
    startTicks: "12345",
    group: 77,
    ticks: 300,
    residentBytes: 1_048_576,
  });
  expect(parseProcessUse("nonsense")).toBeUndefined();
});

test.runIf(process.platform === "linux")("a pod uses what its whole process group uses", async () => {
  const directory = mkdtempSync(join(tmpdir(), "rouse-usage-"));
  // It burns until something comes in, says so, and then rests.
  const program = `
    const burn = () => { const end = process.cpuUsage().user + 300000; while (process.cpuUsage().user < end); };
    process.stdin.once("data", () => { burn(); process.stdout.write("burnt"); });
    process.stdout.write("up");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["-e", program], {
    detached: true,
    stdio: ["pipe", "pipe", "ignore"],
  });
  try {
    await once(child.stdout, "data");
    const pod = objectKey({ namespace: "default", name: "hello-1" });
    ProcessRecords.open(directory).add(child.pid ?? 0, pod);
    const clock = new VirtualClock();
    const usage = new ProcessUsage(clock, directory);
    expect(usage.usage([pod]).size).toBe(0); // of CPU there is no answer yet
    child.stdin.write("go");
    await once(child.stdout, "data");
    clock.advance(1_000);
    const used = usage.usage([pod, objectKey({ namespace: "default", name: "other" })]);
    expect([...used.keys()]).toEqual([pod]);
    expect(used.get(pod)?.cpuMilli).toBeGreaterThanOrEqual(280); // 0.3 s of CPU in a second, told in hundredths
    expect(used.get(pod)?.cpuMilli).toBeLessThan(1_000);
    expect(used.get(pod)?.memoryBytes).toBeGreaterThan(10 * 1_048_576);
  } finally {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
});
