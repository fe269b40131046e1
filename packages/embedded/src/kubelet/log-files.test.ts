import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, type WallMs } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, onTestFinished, test } from "vitest";
import { LogFiles } from "./log-files.ts";

function setup(limits: { fileBytesMax: number; filesMax: number; pastPodsMax: number }) {
  const directory = mkdtempSync(join(tmpdir(), "rouse-logs-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const clock = new VirtualClock();
  const logs = new LogFiles({ clock, log: silentLogger }, directory, limits);
  return { clock, logs, root: join(directory, "logs") };
}

const pod = (name: string) => ({ namespace: "ns", name, uid: `uid-${name}` });
const at = Date.UTC(2026, 0, 2, 3, 4, 5) as WallMs;

test("lines of both streams, with their time, written together a moment later", async () => {
  const { clock, logs, root } = setup({ fileBytesMax: 1_000, filesMax: 3, pastPodsMax: 1 });
  const log = logs.open(pod("a"), "user");
  log.line("stdout", "one", at);
  log.line("stderr", "two", at);
  expect(clock.pendingTimers).toBe(1);
  await log.close();
  expect(clock.pendingTimers).toBe(0);
  const lines = readFileSync(join(root, "ns_a_uid-a", "user.log"), "utf8").split("\n");
  expect(lines).toEqual(["2026-01-02T03:04:05Z stdout F one", "2026-01-02T03:04:05Z stderr F two", ""]);
});

test("a full file is put aside, and the oldest goes", async () => {
  const { logs, root } = setup({ fileBytesMax: 30, filesMax: 3, pastPodsMax: 1 });
  const log = logs.open(pod("a"), "user");
  for (const text of ["1", "2", "3", "4", "5", "6"]) {
    log.line("stdout", text, at);
    await log.close(); // each is written by itself; 31 bytes fill a file
  }
  const directory = join(root, "ns_a_uid-a");
  expect(readdirSync(directory).sort()).toEqual(["user.log", "user.log.1", "user.log.2"]);
  expect(readFileSync(join(directory, "user.log.2"), "utf8")).toContain("F 4");
});

test("what the disk cannot keep up with is dropped, and said", async () => {
  const { logs, root } = setup({ fileBytesMax: 1e9, filesMax: 2, pastPodsMax: 1 });
  const log = logs.open(pod("a"), "user");
  for (let line = 0; line < 200; line++) log.line("stdout", "x".repeat(16_000), at);
  await log.close();
  const text = readFileSync(join(root, "ns_a_uid-a", "user.log"), "utf8");
  expect(text).toMatch(/^\.\.\. 1\d\d lines were not written\n/);
  expect(text.length).toBeLessThan(1_100_000);
});

test("of pods that are gone the logs of the latest stay", async () => {
  const { logs, root } = setup({ fileBytesMax: 1_000, filesMax: 2, pastPodsMax: 2 });
  for (const [age, name] of ["a", "b", "c", "d"].entries()) {
    const log = logs.open(pod(name), "user");
    log.line("stdout", name, at);
    await log.close();
    utimesSync(join(root, `ns_${name}_uid-${name}`), age, age);
  }
  await logs.podGone(pod("a"));
  await logs.podGone(pod("b"));
  await logs.podGone(pod("c"));
  expect(readdirSync(root).sort()).toEqual(["ns_b_uid-b", "ns_c_uid-c", "ns_d_uid-d"]);
});
