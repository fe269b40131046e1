import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { atPace, World } from "./activator/world.ts";
import { type Benchmark, type BenchmarkOptions, type Result, result } from "./benchmark.ts";

const NAME = "hello-00001";
const MIB = 1_048_576;

/** Answers by status; 0 is a connection that broke. */
class Tally {
  readonly counts = new Map<number, number>();

  add(status: number): void {
    this.counts.set(status, (this.counts.get(status) ?? 0) + 1);
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, each) => sum + each, 0);
  }

  get ok(): number {
    return this.counts.get(200) ?? 0;
  }

  get text(): string {
    return [...this.counts].map(([status, count]) => `${count} × ${status}`).join(", ");
  }
}

/** 500 requests a second, half of them POSTs, while a pod of four is killed every second. 10 s, or 5 min. */
async function killedPods({ isQuick, progress }: BenchmarkOptions): Promise<Result[]> {
  using world = await World.start();
  await world.tell({ kind: "revision", name: NAME, containerConcurrency: 50 });
  const folder = mkdtempSync(join(tmpdir(), "rouse-bench-"));
  const journal = join(folder, "posts");
  const pod = { workMs: 10, journal };
  for (let count = 0; count < 4; count++) await world.startPod(pod);
  await world.list(NAME);
  const [gets, posts] = [new Tally(), new Tally()];
  let kills = 0;
  const killing = setInterval(() => {
    const victim = world.pods.shift();
    kills++;
    victim?.process.kill("SIGKILL");
    // The watch is late, and the next pod takes its time.
    void sleep(200).then(() => world.list(NAME));
    void world.startPod(pod).then(() => world.list(NAME));
  }, 1_000);
  await atPace({ perSecond: 500, seconds: isQuick ? 10 : 300 }, async (index) => {
    const method = index % 2 === 0 ? "GET" : "POST";
    const status = await world.call(NAME, { path: `/${index}`, method, body: method === "POST" ? "x" : "" });
    (method === "GET" ? gets : posts).add(status);
  });
  clearInterval(killing);
  await sleep(1_000); // for what is still on its way up
  const ran = readFileSync(journal, "latin1").split("\n").filter(Boolean);
  rmSync(folder, { recursive: true });
  progress(`${kills} pods killed; GET ${gets.text}; POST ${posts.text}`);
  return [
    result("killed pods: idempotent requests answered", "%", (100 * gets.ok) / gets.total),
    result("killed pods: POSTs run twice", "count", ran.length - new Set(ran).size),
    result("killed pods: POSTs that failed", "count", posts.total - posts.ok),
  ];
}

/** 700 requests a second from zero, a pod that takes 2 s, containerConcurrency 0. */
async function burstFromZero({ progress }: BenchmarkOptions): Promise<Result[]> {
  using world = await World.start();
  await world.tell({ kind: "revision", name: NAME, containerConcurrency: 0 });
  const pod = await world.startPod({ workMs: 20 });
  const tally = new Tally();
  let peakAtFirst = 0;
  void sleep(2_000)
    .then(() => world.list(NAME))
    .then(() => sleep(110))
    .then(() => (peakAtFirst = pod.peak));
  await atPace({ perSecond: 700, seconds: 8 }, async () => tally.add(await world.call(NAME)));
  progress(tally.text);
  return [
    result("burst from zero: answers that are no 200", "count", tally.total - tally.ok),
    result("burst from zero: most at one time in the pod's first 100 ms", "requests", peakAtFirst),
    result("burst from zero: most at one time", "requests", pod.peak),
  ];
}

/** 1,000 clients at once, each with its next request after the last, ten pods of containerConcurrency 10. */
async function thousandAtOnce({ progress }: BenchmarkOptions): Promise<Result[]> {
  using world = await World.start();
  await world.tell({ kind: "revision", name: NAME, containerConcurrency: 10 });
  const tally = new Tally();
  const until = performance.now() + 8_000;
  const clients = Array.from({ length: 1_000 }, async () => {
    do tally.add(await world.call(NAME));
    while (performance.now() < until);
  });
  for (let count = 0; count < 10; count++) {
    await world.startPod({ workMs: 50 });
    await world.list(NAME);
  }
  await sleep(Math.max(0, until - 3_000 - performance.now()));
  const before = world.pods.map(({ served }) => served);
  await sleep(2_000);
  const served = world.pods.map((pod, index) => pod.served - (before[index] ?? 0));
  await Promise.all(clients);
  const mean = served.reduce((sum, each) => sum + each, 0) / served.length;
  progress(tally.text);
  return [
    result("1,000 at once: answers that are no 200", "count", tally.total - tally.ok),
    result(
      "1,000 at once: most at one time in any pod",
      "requests",
      Math.max(...world.pods.map(({ peak }) => peak)),
    ),
    result("1,000 at once: max over mean of pods' answers after 5 s", "ratio", Math.max(...served) / mean),
  ];
}

/** 200 POSTs of 50 kB a second to a revision without pods, whose clients leave after a second. 20 s, or 10 min. */
async function overload({ isQuick, progress }: BenchmarkOptions): Promise<Result[]> {
  using world = await World.start();
  await world.tell({ kind: "revision", name: NAME, containerConcurrency: 1 });
  const body = "x".repeat(50_000);
  const send = (seconds: number) =>
    atPace({ perSecond: 200, seconds }, async () => {
      await world.call(NAME, { method: "POST", body, leaveMs: 1_000 });
    });
  await send(5); // code is compiled, buffers are made
  const base = await world.tell({ kind: "look" });
  let most = { held: 0, privateBytes: 0 };
  const looking = setInterval(() => {
    void world.tell({ kind: "pods", name: NAME, ports: [] }).then(({ held, privateBytes }) => {
      most = { held: Math.max(most.held, held), privateBytes: Math.max(most.privateBytes, privateBytes) };
    });
  }, 500);
  await send(isQuick ? 20 : 600);
  clearInterval(looking);
  await sleep(2_000);
  const after = await world.tell({ kind: "look" });
  progress(`${after.held} held at the end, ${most.held} at most`);
  return [
    result("overload: most private memory", "MiB", most.privateBytes / MIB, {
      baseline: base.privateBytes / MIB,
    }),
    result("overload: private memory afterwards", "MiB", after.privateBytes / MIB, {
      baseline: base.privateBytes / MIB,
    }),
    result("overload: requests held afterwards", "count", after.held),
  ];
}

/** 10,000 revisions known and idle. The process holds the objects as well, as a watch would. */
async function idleRevisions({ isQuick }: BenchmarkOptions): Promise<Result[]> {
  using world = await World.start();
  const count = isQuick ? 2_000 : 10_000;
  const base = await world.tell({ kind: "look" });
  await world.tell({ kind: "revisions", count });
  await sleep(1_000);
  const after = await world.tell({ kind: "look" });
  const bytes = after.privateBytes - base.privateBytes;
  return [result("idle revisions: private memory of each, store included", "kB", bytes / count / 1_000)];
}

const scenarios: Readonly<Record<string, (options: BenchmarkOptions) => Promise<Result[]>>> = {
  "killed-pods": killedPods,
  "burst-from-zero": burstFromZero,
  "thousand-at-once": thousandAtOnce,
  overload,
  "idle-revisions": idleRevisions,
};

export const activator: Benchmark = {
  name: "activator",
  question: "What does the activator do when pods die, everyone comes at once, or nobody can be served?",
  scenarios: Object.keys(scenarios),
  run: async (options) => {
    const results: Result[] = [];
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (options.scenario !== undefined && options.scenario !== name) continue;
      options.progress(name);
      results.push(...(await scenario(options)));
    }
    return results;
  },
};
