import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ProcessRecords, recordsDirectory } from "./process-records.ts";
import { signalGroup } from "./process-runner.ts";
import { bootId, processIds, readProcess } from "./process-table.ts";
import { reapOrphans } from "./reap-orphans.ts";
import { Home } from "./testing/home.ts";

const PLATFORM = fileURLToPath(new URL("./testing/platform.ts", import.meta.url));
const isGone = (pid: number): boolean => readProcess(pid)?.isZombie ?? true;
const recorded = (directory: string): readonly string[] =>
  readdirSync(recordsDirectory(directory)).filter((name) => name.endsWith(".json"));

let directory: string;
let started: ChildProcess[];
let pods: number[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "rouse-orphans-"));
  started = [];
  pods = [];
});

afterEach(async () => {
  for (const { pid } of started) if (pid !== undefined) signalGroup(pid, "SIGKILL");
  for (const pid of pods) signalGroup(pid, "SIGKILL");
  await reapOrphans(directory); // what a test that failed did not get to
  rmSync(directory, { recursive: true, force: true });
});

/** Runs a platform of its own process and returns the numbers of its pod's processes. */
async function platform(): Promise<{ readonly child: ChildProcess; readonly pids: readonly number[] }> {
  const child = spawn(process.execPath, [PLATFORM, directory], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  started.push(child);
  let pids: readonly number[] = [];
  let isReady = false;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("pids ")) pids = line.split(" ").slice(1).map(Number);
    isReady ||= line === "ready";
    if (isReady && pids.length > 0) break;
  }
  pods.push(...pids);
  return { child, pids };
}

/** Kills the platform and, before it can notice, the helper that would end the pods at once. */
async function killBoth(child: ChildProcess): Promise<void> {
  const [helper] = processIds().filter((pid) => readProcess(pid)?.parent === child.pid && isHelper(pid));
  expect(helper).toBeDefined();
  if (helper !== undefined) process.kill(helper, "SIGSTOP");
  child.kill("SIGKILL");
  await once(child, "exit");
  if (helper === undefined) return;
  process.kill(helper, "SIGKILL");
  while (!isGone(helper)) await stat("/proc/self");
}

function isHelper(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("rouse-spawn-helper");
}

test("a platform that is killed takes its pods' groups with it at once: the helper sees to that", async () => {
  const { child, pids } = await platform();
  child.kill("SIGKILL");
  await once(child, "exit");
  while (!pids.slice(0, 2).every(isGone)) await stat("/proc/self");
  expect(pids.map(isGone)).toEqual([true, true, false]); // the one that left its group waits for the next start
  await reapOrphans(directory);
  expect(pids.map(isGone)).toEqual([true, true, true]);
});

describe("after a platform was killed together with its helper", () => {
  test("its pods' processes live on until the next start, which ends them all", async () => {
    const { child, pids } = await platform();
    expect(pids).toHaveLength(3);
    await killBoth(child);
    expect(pids.map(isGone)).toEqual([false, false, false]);
    await using home = await Home.start({ dataDirectory: directory });
    expect(pids.map(isGone)).toEqual([true, true, true]);
    expect(recorded(directory)).toEqual([]);
    expect(home.kubelet.size).toBe(0);
  });

  test("the home's mark is enough: without its record a process is found all the same", async () => {
    const { child, pids } = await platform();
    await killBoth(child);
    for (const name of recorded(directory)) rmSync(join(recordsDirectory(directory), name));
    const { killed } = await reapOrphans(directory);
    expect([...killed].sort()).toEqual([...pids].sort());
    expect(pids.map(isGone)).toEqual([true, true, true]);
  });

  test("a home that is alive keeps its processes, whoever starts beside it", async () => {
    const { pids } = await platform();
    expect((await reapOrphans(directory)).killed).toEqual([]);
    expect(pids.map(isGone)).toEqual([false, false, false]);
    expect(recorded(directory)).toHaveLength(1);
  });

  test("another home's orphans are left alone", async () => {
    const { child, pids } = await platform();
    await killBoth(child);
    const other = mkdtempSync(join(tmpdir(), "rouse-orphans-"));
    ProcessRecords.open(other);
    expect((await reapOrphans(other)).killed).toEqual([]);
    expect(pids.map(isGone)).toEqual([false, false, false]);
    rmSync(other, { recursive: true });
    await reapOrphans(directory);
  });
});

describe("a record that does not prove anything kills nothing", () => {
  const bystander = (): ChildProcess & { readonly pid: number } => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true });
    started.push(child);
    return Object.assign(child, { pid: child.pid ?? expect.fail("no process") });
  };
  const gonePlatform = { pid: 999_999_999, startTicks: "1" };
  const write = (record: object): void => {
    ProcessRecords.open(directory);
    writeFileSync(join(recordsDirectory(directory), "1.json"), JSON.stringify(record));
  };
  const startTicks = (pid: number): string => readProcess(pid)?.startTicks ?? "";

  test("the number was used again: another start time", async () => {
    const { pid } = bystander();
    write({ pid, startTicks: "1", pod: "a/b", platform: gonePlatform, boot: bootId() });
    expect((await reapOrphans(directory)).killed).toEqual([]);
    expect(isGone(pid)).toBe(false);
    expect(recorded(directory)).toEqual([]);
  });

  test("the machine has been started since", async () => {
    const { pid } = bystander();
    write({ pid, startTicks: startTicks(pid), pod: "a/b", platform: gonePlatform, boot: "another" });
    expect((await reapOrphans(directory)).killed).toEqual([]);
    expect(isGone(pid)).toBe(false);
  });

  test.each([
    { what: "torn", text: '{"pid": 12' },
    { what: "not ours", text: '{"pid": -1, "startTicks": "1"}' },
    { what: "empty", text: "" },
    {
      what: "about process 1",
      text: '{"pid": 1, "startTicks": "0", "pod": "a/b", "platform": {}, "boot": ""}',
    },
  ])("it is $what", async ({ text }) => {
    ProcessRecords.open(directory);
    writeFileSync(join(recordsDirectory(directory), "1.json"), text);
    expect((await reapOrphans(directory)).killed).toEqual([]);
  });

  test("and where everything fits it does", async () => {
    const { pid } = bystander();
    write({ pid, startTicks: startTicks(pid), pod: "a/b", platform: gonePlatform, boot: bootId() });
    expect((await reapOrphans(directory)).killed).toEqual([pid]);
    expect(isGone(pid)).toBe(true);
  });
});

test("the mark of a home is the same at every start, and different for every home", () => {
  const first = ProcessRecords.open(directory).instance;
  expect(ProcessRecords.open(directory).instance).toBe(first);
  expect(readFileSync(join(recordsDirectory(directory), "home-id"), "utf8").trim()).toBe(first.split("/")[0]);
  const other = mkdtempSync(join(tmpdir(), "rouse-orphans-"));
  expect(ProcessRecords.open(other).instance.split("/")[0]).not.toBe(first.split("/")[0]);
  rmSync(other, { recursive: true });
});
