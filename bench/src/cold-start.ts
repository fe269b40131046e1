import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Benchmark, type BenchmarkOptions, type Result, result } from "./benchmark.ts";
import { type Burst, burst } from "./cold-start/burst.ts";
import { Platform } from "./cold-start/platform.ts";
import { awaitZero, podsOf } from "./cold-start/proof-of-zero.ts";
import { timeBareSpawn, timeRequest } from "./cold-start/samples.ts";
import { quantile, spread } from "./quantile.ts";

/** Services that are woken one after the other; all have gone back to zero before the next round. */
const SERVICES = 8;
const ROUNDS_QUICK = 3;
/** 200 starts, so that the 99th percentile is not merely the worst of them. */
const ROUNDS_FULL = 25;
/** Of names nobody else on the machine uses: processes are told apart by them. */
const BURST_SERVICE = `burst-${process.pid}`;
const BURST = { connections: 100, requests: 500 };
const SHARES = [0.5, 0.9, 0.99];

/** A pod's phases in the platform's monotonic milliseconds; with the origin they are epoch milliseconds. */
interface TimelinePage {
  readonly originMs: number;
  readonly timeline: Readonly<Record<Phase, number>>;
}

/** In the order in which a pod passes them. */
const PHASES = ["created", "seen", "spawned", "portOpen", "ready"] as const;
type Phase = (typeof PHASES)[number];

interface ColdSample {
  readonly sentAt: number;
  readonly answeredAt: number;
  /** The same program started bare, just before. */
  readonly bareMs: number;
  /** Epoch milliseconds. */
  readonly phases: Readonly<Record<Phase, number>>;
}

export const coldStart: Benchmark = {
  name: "cold-start",
  question: "How long does a request for a service at zero wait, beyond the start of its program?",
  async run(options: BenchmarkOptions): Promise<readonly Result[]> {
    const { root, progress } = options;
    build(root);
    const folder = mkdtempSync(join(tmpdir(), "rouse-bench-"));
    try {
      const program = join(root, "samples/hello/server.mjs");
      const manifest = join(folder, "services.yaml");
      writeFileSync(manifest, manifestOf(program, join(root, "bench/src/cold-start/worker.mjs")));
      await using platform = await Platform.start({ root, folder, manifest });
      const samples = await coldSamples(platform, program, options);
      const bursts = await coldBursts(platform, options.isQuick ? 1 : 5, progress);
      return [...sampleResults(samples), ...burstResults(bursts)];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function coldSamples(
  platform: Platform,
  program: string,
  { isQuick, progress }: BenchmarkOptions,
): Promise<readonly ColdSample[]> {
  const samples: ColdSample[] = [];
  const ports = new Map<string, number[]>();
  const rounds = isQuick ? ROUNDS_QUICK : ROUNDS_FULL;
  await timeBareSpawn(program); // the first one reads the files into the page cache
  for (let round = 1; round <= rounds; round++) {
    // All of them: programs that are just ending would take the processor from the one that is starting.
    for (const service of serviceNames) await awaitZero(platform, service, ports.get(service) ?? []);
    for (const service of serviceNames) {
      await awaitZero(platform, service, ports.get(service) ?? []);
      const bareMs = await timeBareSpawn(program);
      const { sentAt, tookMs, status } = await timeRequest(platform.port, `${service}.default.localhost`);
      if (status !== 200) throw new Error(`${service} answered ${status}`);
      const [pod] = await podsOf(platform, service);
      if (pod?.userPort === undefined) throw new Error(`${service} answered and has no pod`);
      ports.set(service, [pod.userPort]);
      samples.push({
        sentAt,
        answeredAt: sentAt + tookMs,
        bareMs,
        phases: await phasesOf(platform, pod.name),
      });
    }
    progress(`round ${round} of ${rounds}: ${samples.length} cold starts, waiting for zero`);
  }
  return samples;
}

async function phasesOf(platform: Platform, pod: string): Promise<ColdSample["phases"]> {
  const page = await platform.api(`/rouse/timeline?pod=${encodeURIComponent(`default/${pod}`)}`);
  const { originMs, timeline } = page as TimelinePage;
  const at = (phase: Phase): number => originMs + timeline[phase];
  return {
    created: at("created"),
    seen: at("seen"),
    spawned: at("spawned"),
    portOpen: at("portOpen"),
    ready: at("ready"),
  };
}

async function coldBursts(
  platform: Platform,
  count: number,
  progress: (line: string) => void,
): Promise<readonly Burst[]> {
  const bursts: Burst[] = [];
  let ports: readonly number[] = [];
  while (bursts.length < count) {
    await awaitZero(platform, BURST_SERVICE, ports);
    const one = await burst(platform.port, `${BURST_SERVICE}.default.localhost`, BURST);
    ports = (await podsOf(platform, BURST_SERVICE)).flatMap(({ userPort }) => userPort ?? []);
    progress(`burst of ${one.sent} from zero: ${one.ok} answered 200, ${ports.length} pods at the end`);
    for (const { fromMs, answers, worstMs } of one.overTime) {
      progress(`  from ${fromMs} ms: ${answers} answers, slowest ${worstMs} ms`);
    }
    bursts.push(one);
  }
  return bursts;
}

function sampleResults(samples: readonly ColdSample[]): readonly Result[] {
  const total = samples.map(({ sentAt, answeredAt }) => answeredAt - sentAt);
  const bare = samples.map(({ bareMs }) => bareMs);
  const added = samples.map(({ sentAt, answeredAt, bareMs }) => answeredAt - sentAt - bareMs);
  const toSpawn = samples.map(({ sentAt, phases }) => phases.spawned - sentAt);
  return [
    result("cycles from zero", "starts", samples.length),
    ...SHARES.map((share) =>
      result(`first request p${share * 100}`, "ms", quantile(total, share), {
        spread: spread(total),
        baseline: quantile(bare, share),
      }),
    ),
    result("added to a bare spawn p50", "ms", quantile(added, 0.5), { spread: spread(added) }),
    ...SHARES.map((share) =>
      result(`request to spawn p${share * 100}`, "ms", quantile(toSpawn, share), { spread: spread(toSpawn) }),
    ),
    ...phaseResults(samples),
  ];
}

/** Where the time goes, step by step: the steps of one sample add up to its total. */
function phaseResults(samples: readonly ColdSample[]): readonly Result[] {
  const steps = samples.map(({ sentAt, answeredAt, phases }) => {
    const stamps = [sentAt, ...PHASES.map((phase) => phases[phase]), answeredAt];
    return stamps.slice(1).map((at, index) => at - (stamps[index] ?? Number.NaN));
  });
  return [...PHASES, "answered"].map((phase, at) => {
    const step = steps.map((of) => of[at] ?? Number.NaN);
    return result(`step to ${phase} p50`, "ms", quantile(step, 0.5), { spread: spread(step) });
  });
}

function burstResults(bursts: readonly Burst[]): readonly Result[] {
  const latencies = bursts.flatMap(({ latenciesMs }) => latenciesMs);
  const sent = bursts.reduce((sum, one) => sum + one.sent, 0);
  const ok = bursts.reduce((sum, one) => sum + one.ok, 0);
  return [
    result("burst answered 200", "requests", ok, { baseline: sent }),
    ...SHARES.map((share) =>
      result(`burst p${share * 100}`, "ms", quantile(latencies, share), { spread: spread(latencies) }),
    ),
  ];
}

const serviceNames = Array.from({ length: SERVICES }, (_, index) => `cold-${process.pid}-${index}`);

function manifestOf(program: string, worker: string): string {
  const cold = serviceNames.map((name) =>
    serviceYaml(name, program, { containerConcurrency: 0, maxScale: 1 }),
  );
  return [...cold, serviceYaml(BURST_SERVICE, worker, { containerConcurrency: 1, maxScale: 8 })].join(
    "---\n",
  );
}

/** The command is the very one a bare spawn runs. */
function serviceYaml(
  name: string,
  program: string,
  { containerConcurrency, maxScale }: { readonly containerConcurrency: number; readonly maxScale: number },
): string {
  return `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: ${name}
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/initial-scale: "0"
        autoscaling.knative.dev/max-scale: "${maxScale}"
        autoscaling.knative.dev/window: 6s
    spec:
      containerConcurrency: ${containerConcurrency}
      containers:
        - command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(program)}]
`;
}

function build(root: string): void {
  const built = spawnSync(process.execPath, [join(root, "scripts/build.ts"), "cli"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (built.status !== 0) throw new Error("the command does not build");
}
