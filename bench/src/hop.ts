import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type Benchmark, type BenchmarkOptions, type Result, result } from "./benchmark.ts";
import { http1Load, http2Load, isInstalled, type Load, throughput } from "./hop/load.ts";
import { freePort, PinnedProcess } from "./hop/process.ts";
import { origin, type Place, type Target, targets } from "./hop/targets.ts";
import { quantile, spread } from "./quantile.ts";

/** The hop has a core to itself; load and upstream share another. */
const HOP_CORE = 0;
const LOAD_CORE = 1;
const CONNECTIONS = 64;
const HTTP2_CONNECTIONS = 4;
const HTTP2_STREAMS = 16;

interface Scenario {
  readonly name: string;
  readonly protocol: "h1" | "h2";
  readonly path: string;
  readonly postBytes: number;
}

const scenarios: readonly Scenario[] = [
  { name: "h1 small", protocol: "h1", path: "/", postBytes: 0 },
  { name: "h1 16 KiB", protocol: "h1", path: "/16k", postBytes: 0 },
  { name: "h1 POST 4 KiB", protocol: "h1", path: "/", postBytes: 4_096 },
  { name: "h2c", protocol: "h2", path: "/", postBytes: 0 },
];

/** What one target did in one round of one scenario. */
interface Sample {
  readonly cpuUs: number;
  readonly load: Load;
}

export const hop: Benchmark = {
  name: "hop",
  question: "What does a request cost on its way through us, beside a bare pipe and other proxies?",
  async run(options: BenchmarkOptions): Promise<readonly Result[]> {
    if (availableParallelism() < 2 || !isInstalled("taskset")) throw new Error("needs two cores and taskset");
    const folder = mkdtempSync(join(tmpdir(), "rouse-hop-"));
    try {
      const upstream = { upstreamPort: await freePort(), upstreamPortH2: await freePort() };
      await using _origin = await PinnedProcess.start(
        origin(upstream.upstreamPort, upstream.upstreamPortH2),
        LOAD_CORE,
      );
      const results: Result[] = [];
      for (const scenario of scenarios)
        results.push(...(await runScenario(scenario, { ...upstream, folder }, options)));
      results.push(...(await runThroughput({ ...upstream, folder }, options)));
      results.push(...(await runParked({ ...upstream, folder }, options)));
      return results;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

type Upstream = Omit<Place, "port" | "protocol">;

/** Targets take turns, round after round: what the machine does meanwhile falls on all of them. */
async function runScenario(
  scenario: Scenario,
  upstream: Upstream,
  { isQuick, progress }: BenchmarkOptions,
): Promise<readonly Result[]> {
  if (scenario.protocol === "h2" && !isInstalled("h2load")) {
    progress(`${scenario.name}: skipped, h2load is not installed`);
    return [];
  }
  const samples = new Map<string, Sample[]>();
  for (let round = 1; round <= (isQuick ? 2 : 5); round++) {
    for (const target of available(scenario.protocol, progress, round === 1)) {
      const port = await freePort();
      const place = { ...upstream, port, protocol: scenario.protocol };
      await using hopped = await PinnedProcess.start(target.command(place), HOP_CORE);
      await measure(scenario, place, { seconds: 1 }, hopped); // compiled and connected before anything counts
      const sample = await measure(scenario, place, { seconds: isQuick ? 2 : 5 }, hopped);
      samples.set(target.name, [...(samples.get(target.name) ?? []), sample]);
      progress(
        `${scenario.name}, round ${round}, ${target.name}: ${sample.cpuUs.toFixed(1)} µs, ` +
          `${Math.round(sample.load.perSecond)}/s, p99 ${sample.load.p99Ms.toFixed(2)} ms, ${sample.load.errors} errors`,
      );
    }
  }
  const floor = samples.get(scenario.protocol === "h1" ? "pipe" : "http2-pass") ?? [];
  const floorUs = quantile(
    floor.map(({ cpuUs }) => cpuUs),
    0.5,
  );
  return [...samples].flatMap(([name, taken]) => resultsOf(`${scenario.name}, ${name}`, taken, floorUs));
}

async function measure(
  scenario: Scenario,
  place: Place,
  { seconds }: { readonly seconds: number },
  hopped: PinnedProcess,
): Promise<Sample> {
  const plan = {
    port: place.port,
    path: scenario.path,
    seconds,
    postBytes: scenario.postBytes,
    folder: place.folder,
    core: LOAD_CORE,
  };
  const beforeUs = hopped.cpuUs();
  const load =
    scenario.protocol === "h1"
      ? await http1Load({ ...plan, connections: CONNECTIONS })
      : await http2Load({ ...plan, connections: HTTP2_CONNECTIONS, streams: HTTP2_STREAMS });
  return { cpuUs: (hopped.cpuUs() - beforeUs) / Math.max(1, load.requests), load };
}

function resultsOf(name: string, samples: readonly Sample[], floorUs: number): readonly Result[] {
  const cpuUs = samples.map((sample) => sample.cpuUs);
  const of = (figure: (load: Load) => number): number[] => samples.map(({ load }) => figure(load));
  return [
    result(`${name}: processor time`, "µs/request", quantile(cpuUs, 0.5), {
      spread: spread(cpuUs),
      baseline: floorUs,
    }),
    result(
      `${name}: rate`,
      "requests/s",
      quantile(
        of((load) => load.perSecond),
        0.5,
      ),
      {
        spread: spread(of((load) => load.perSecond)),
      },
    ),
    result(
      `${name}: p50`,
      "ms",
      quantile(
        of((load) => load.p50Ms),
        0.5,
      ),
    ),
    result(
      `${name}: p99`,
      "ms",
      quantile(
        of((load) => load.p99Ms),
        0.5,
      ),
    ),
    result(
      `${name}: errors`,
      "requests",
      of((load) => load.errors).reduce((sum, count) => sum + count, 0),
    ),
  ];
}

/** One large answer after another; memory while it goes on says whether anything piles up. */
async function runThroughput(
  upstream: Upstream,
  { isQuick, progress }: BenchmarkOptions,
): Promise<readonly Result[]> {
  const mebibytes = isQuick ? 256 : 1_024;
  const rates = new Map<string, number[]>();
  const growth = new Map<string, number[]>();
  for (let round = 1; round <= (isQuick ? 2 : 5); round++) {
    for (const target of available("h1", progress, false)) {
      const place = { ...upstream, port: await freePort(), protocol: "h1" as const };
      await using hopped = await PinnedProcess.start(target.command(place), HOP_CORE);
      await throughput(place.port, 64);
      const beforeKib = hopped.memory().privateKib;
      const rate = await throughput(place.port, mebibytes);
      rates.set(target.name, [...(rates.get(target.name) ?? []), rate / 1_048_576]);
      const grownKib = hopped.memory().privateKib - beforeKib;
      growth.set(target.name, [...(growth.get(target.name) ?? []), grownKib / 1_024]);
      progress(`${mebibytes} MiB, round ${round}, ${target.name}: ${(rate / 1_048_576).toFixed(0)} MiB/s`);
    }
  }
  const floor = quantile(rates.get("pipe") ?? [], 0.5);
  return [...rates].flatMap(([name, taken]) => [
    result(`${mebibytes} MiB answer, ${name}: throughput`, "MiB/s", quantile(taken, 0.5), {
      spread: spread(taken),
      baseline: floor,
    }),
    result(`${mebibytes} MiB answer, ${name}: memory growth`, "MiB", quantile(growth.get(name) ?? [], 0.5)),
  ]);
}

/** What requests cost that are held: the engine's `/park` keeps them until `/release`. */
async function runParked(
  upstream: Upstream,
  { isQuick, progress }: BenchmarkOptions,
): Promise<readonly Result[]> {
  const engine = targets.find(({ name }) => name === "engine");
  if (engine === undefined) return [];
  const count = isQuick ? 2_000 : 10_000;
  const place = { ...upstream, port: await freePort(), protocol: "h1" as const };
  await using hopped = await PinnedProcess.start(engine.command(place), HOP_CORE);
  await http1Load({
    port: place.port,
    path: "/",
    connections: CONNECTIONS,
    seconds: 1,
    postBytes: 0,
    folder: place.folder,
    core: LOAD_CORE,
  });
  const beforeKib = hopped.memory().privateKib;
  const clients = await Promise.all(Array.from({ length: count }, () => request(place.port, "/park")));
  while ((await answer(place.port, "/parked")) !== String(count)) progress(`parking ${count} requests`);
  const parkedKib = hopped.memory().privateKib;
  for (const client of clients) client.destroy();
  while ((await answer(place.port, "/release")) === "") progress("releasing");
  await http1Load({
    port: place.port,
    path: "/",
    connections: CONNECTIONS,
    seconds: 3,
    postBytes: 0,
    folder: place.folder,
    core: LOAD_CORE,
  });
  const afterKib = hopped.memory().privateKib;
  return [
    result(`${count} parked requests: private memory`, "MiB", (parkedKib - beforeKib) / 1_024),
    result(`${count} parked requests, each`, "KiB", (parkedKib - beforeKib) / count),
    result(`after them: private memory`, "MiB", afterKib / 1_024, { baseline: beforeKib / 1_024 }),
  ];
}

function available(
  protocol: "h1" | "h2",
  progress: (line: string) => void,
  says: boolean,
): readonly Target[] {
  return targets.filter((target) => {
    if (!target.protocols.includes(protocol)) return false;
    const missing = target.missing();
    if (missing !== undefined && says) progress(`${target.name}: skipped, ${missing}`);
    return missing === undefined;
  });
}

function request(port: number, path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, () => resolve(socket));
    });
  });
}

async function answer(port: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return response.text();
}
