import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
const COLD_STARTS = 8;
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
      const manifest = join(folder, "services.json");
      writeFileSync(manifest, JSON.stringify(serviceOf("lone", program)));
      await using platform = await Platform.start({ root, folder, manifest });
      await ready(platform, 1);
      progress("cold starts of one service alone");
      const alone = await coldStarts(platform, "lone");
      const before = memoryBytes(platform.pid);
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
      const after = memoryBytes(platform.pid);
      const reads = await readLatencies(platform, count);
      progress("cold starts among them");
      const among = await coldStarts(platform, "many-0");
      return [
        result("services", "services", count),
        result("created", "ms", createdMs),
        result("all ready", "ms", readyMs),
        result("create p50", "ms", quantile(latencies, 0.5), { spread: spread(latencies) }),
        result("create p99", "ms", quantile(latencies, 0.99)),
        result("read p99", "ms", quantile(reads, 0.99), { spread: spread(reads) }),
        result("resident memory, idle", "MiB", after / KIB / KIB, { baseline: before / KIB / KIB }),
        result("processor, idle", "cores", idleCpu),
        result("cold start p50", "ms", quantile(among, 0.5), {
          spread: spread(among),
          baseline: quantile(alone, 0.5),
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

async function coldStarts(platform: Platform, service: string): Promise<readonly number[]> {
  const took: number[] = [];
  let ports: readonly number[] = [];
  for (let start = 0; start < COLD_STARTS; start++) {
    await awaitZero(platform, service, ports);
    const { tookMs, status } = await timeRequest(platform.port, `${service}.default.localhost`);
    if (status !== 200) throw new Error(`${service} answered ${status}`);
    took.push(tookMs);
    ports = (await podsOf(platform, service)).flatMap(({ userPort }) => userPort ?? []);
  }
  return took;
}

/** Resident memory of the platform and of what it has started, which is its helper when all services are at zero. */
function memoryBytes(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  return [String(pid), ...children]
    .filter((each) => each !== "")
    .reduce((sum, each) => {
      const resident = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${each}/status`, "utf8"))?.[1];
      return sum + Number(resident ?? 0) * KIB;
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
