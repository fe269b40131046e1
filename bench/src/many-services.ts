import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Benchmark, type BenchmarkOptions, type Result, result } from "./benchmark.ts";
import { Platform } from "./cold-start/platform.ts";
import { awaitZero, podsOf } from "./cold-start/proof-of-zero.ts";
import { timeRequest } from "./cold-start/samples.ts";
import { quantile, spread } from "./quantile.ts";

const SERVICES_QUICK = 50;
const SERVICES_FULL = 1_000;
/** Of each of the two platforms, in turns. */
const COLD_STARTS = 12;
/** Creates under way at one time, as a client that reads no answer before the next file. */
const CREATES = 4;
const READY_MS_MAX = 300_000;
const REST_MS = 10_000;
const SERVICES_PATH = "/apis/serving.knative.dev/v1/namespaces/default/services";
const KIB = 1_024;

interface ServiceList {
  readonly items: readonly {
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

export const manyServices: Benchmark = {
  name: "many-services",
  question: "What do a thousand services at zero cost: to apply, in memory, and for a cold start among them?",
  async run(options: BenchmarkOptions): Promise<readonly Result[]> {
    const { root, progress } = options;
    const count = options.isQuick ? SERVICES_QUICK : SERVICES_FULL;
    build(root);
    const folder = mkdtempSync(join(tmpdir(), "rouse-bench-"));
    try {
      const program = join(root, "samples/hello/server.mjs");
      const lone = join(folder, "lone.json");
      writeFileSync(lone, JSON.stringify(serviceOf("lone", program)));
      await using alone = await startIn(join(folder, "alone"), { root, manifest: lone });
      await using platform = await startIn(join(folder, "among"), { root, manifest: lone });
      await Promise.all([ready(alone, 1), ready(platform, 1)]);
      const before = privateBytes(platform.pid);
      progress(`${count} services`);
      const startedAt = performance.now();
      const latencies = await createAll(platform, count, program);
      const createdMs = performance.now() - startedAt;
      await ready(platform, count + 1);
      const readyMs = performance.now() - startedAt;
      progress(`ready after ${(readyMs / 1_000).toFixed(1)} s; resting`);
      await sleep(REST_MS);
      const cpuBefore = cpuSeconds(platform.pid);
      await sleep(REST_MS);
      const idleCpu = ((cpuSeconds(platform.pid) - cpuBefore) * 1_000) / REST_MS;
      const after = privateBytes(platform.pid);
      const reads = await readLatencies(platform, count);
      progress("cold starts among them and of one service alone, in turns");
      const starts = await coldStarts({ alone, among: platform });
      return [
        result("services", "services", count),
        result("created", "ms", createdMs),
        result("all ready", "ms", readyMs),
        result("create p50", "ms", quantile(latencies, 0.5), { spread: spread(latencies) }),
        result("create p99", "ms", quantile(latencies, 0.99)),
        result("read p99", "ms", quantile(reads, 0.99), { spread: spread(reads) }),
        result("private memory, idle", "MiB", after / KIB / KIB, { baseline: before / KIB / KIB }),
        result("processor, idle", "cores", idleCpu),
        result("cold start p50", "ms", quantile(starts.among, 0.5), {
          spread: spread(starts.among),
          baseline: quantile(starts.alone, 0.5),
        }),
        result("cold start p90", "ms", quantile(starts.among, 0.9), {
          baseline: quantile(starts.alone, 0.9),
        }),
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function createAll(platform: Platform, count: number, program: string): Promise<readonly number[]> {
  const latencies: number[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) {
      const service = serviceOf(`many-${next++}`, program);
      const sentAt = performance.now();
      await platform.create(SERVICES_PATH, service);
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: CREATES }, client));
  return latencies;
}

async function readLatencies(platform: Platform, count: number): Promise<readonly number[]> {
  const latencies: number[] = [];
  for (let read = 0; read < Math.min(count, 200); read++) {
    const sentAt = performance.now();
    await platform.api(`${SERVICES_PATH}/many-${read}`);
    latencies.push(performance.now() - sentAt);
  }
  return latencies;
}

async function ready(platform: Platform, count: number): Promise<void> {
  const deadline = performance.now() + READY_MS_MAX;
  for (;;) {
    const { items } = (await platform.api(SERVICES_PATH)) as ServiceList;
    const isReady = ({ status }: ServiceList["items"][number]): boolean =>
      status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
    const done = items.filter(isReady).length;
    if (done >= count) return;
    if (performance.now() > deadline) throw new Error(`${done} of ${count} services are ready`);
    await sleep(100);
  }
}

async function startIn(folder: string, of: { root: string; manifest: string }): Promise<Platform> {
  mkdirSync(folder);
  return Platform.start({ ...of, folder });
}

/** Both platforms are there all the time, and who goes first changes: what the machine does meanwhile hits both. */
async function coldStarts(platforms: {
  readonly alone: Platform;
  readonly among: Platform;
}): Promise<{ readonly alone: readonly number[]; readonly among: readonly number[] }> {
  const alone = { platform: platforms.alone, service: "lone", tookMs: [] as number[] };
  const among = { platform: platforms.among, service: "many-0", tookMs: [] as number[] };
  const ports = new Map<Platform, readonly number[]>();
  for (let start = 0; start < COLD_STARTS; start++) {
    for (const { platform, service } of [alone, among]) {
      await awaitZero(platform, service, ports.get(platform) ?? []);
    }
    for (const { platform, service, tookMs } of start % 2 === 0 ? [alone, among] : [among, alone]) {
      const answer = await timeRequest(platform.port, `${service}.default.localhost`);
      if (answer.status !== 200) throw new Error(`${service} answered ${answer.status}`);
      tookMs.push(answer.tookMs);
      ports.set(
        platform,
        (await podsOf(platform, service)).flatMap(({ userPort }) => userPort ?? []),
      );
    }
  }
  return { alone: alone.tookMs, among: among.tookMs };
}

/** What the platform and its helper, the only process it has started when all services are at zero, have for themselves. */
function privateBytes(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  return [String(pid), ...children]
    .filter((each) => each !== "")
    .reduce((sum, each) => {
      const kib = [
        ...readFileSync(`/proc/${each}/smaps_rollup`, "utf8").matchAll(/^Private_\w+:\s*(\d+) kB$/gm),
      ];
      return kib.reduce((total, match) => total + Number(match[1]) * KIB, sum);
    }, 0);
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function serviceOf(name: string, program: string): object {
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: {
      template: {
        metadata: {
          annotations: {
            "autoscaling.knative.dev/initial-scale": "0",
            "autoscaling.knative.dev/max-scale": "1",
            "autoscaling.knative.dev/window": "6s",
          },
        },
        spec: { containers: [{ command: [process.execPath, program] }] },
      },
    },
  };
}

function build(root: string): void {
  const built = spawnSync(process.execPath, [join(root, "scripts/build.ts"), "cli"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (built.status !== 0) throw new Error("the command does not build");
}
