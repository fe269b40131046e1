import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type Benchmark, type BenchmarkOptions, type Result, result } from "./benchmark.ts";
import { type Direction, type LargeBody, largeBodyResults, moveLargeBody } from "./hop/large-body.ts";
import { http1Load, http2Load, isInstalled, type Load } from "./hop/load.ts";
import { runParked } from "./hop/parked.ts";
import { freePort, PinnedProcess } from "./hop/process.ts";
import { origin, type Place, type Target, targets } from "./hop/targets.ts";
import { quantile, spread } from "./quantile.ts";

/** The hop has a core to itself; load and upstream share another. */
const HOP_CORE = 0;
const LOAD_CORE = 1;
const CONNECTIONS = 64;
const HTTP2_CONNECTIONS = 4;
const HTTP2_STREAMS = 16;
const REVISION = { "Knative-Serving-Revision": "hello-00001", "Knative-Serving-Namespace": "default" };
const WARM_UP_REQUESTS = 15_000;
const WARM_UP_SECONDS_MAX = 10;
const ENGINE = "engine";
/** Other people's hops, which the engine is set beside one by one. */
const PEERS = ["nginx", "haproxy", "undici", "http-proxy"];
const OURS = ["engine", "queue-proxy", "queue-proxy with 10 places", "activator"];

interface Requests {
  readonly kind: "requests";
  readonly name: string;
  readonly protocol: "h1" | "h2";
  readonly path: string;
  readonly postBytes: number;
  /** Requests name a revision, as the gateway's do; only our own programs are measured by them. */
  readonly isToRevision?: boolean;
}

interface Large {
  readonly kind: "large";
  readonly name: string;
  readonly protocol: "h1";
  readonly direction: Direction;
}

const scenarios: readonly (Requests | Large)[] = [
  { kind: "requests", name: "h1", protocol: "h1", path: "/", postBytes: 0 },
  { kind: "requests", name: "h1-16k", protocol: "h1", path: "/16k", postBytes: 0 },
  { kind: "requests", name: "h1-post-4k", protocol: "h1", path: "/", postBytes: 4_096 },
  { kind: "requests", name: "h2c", protocol: "h2", path: "/", postBytes: 0 },
  { kind: "requests", name: "h2c-unary", protocol: "h2", path: "/", postBytes: 128 },
  { kind: "requests", name: "h1-revision", protocol: "h1", path: "/", postBytes: 0, isToRevision: true },
  { kind: "requests", name: "h2c-revision", protocol: "h2", path: "/", postBytes: 0, isToRevision: true },
  { kind: "large", name: "large-answer", protocol: "h1", direction: "answer" },
  { kind: "large", name: "large-request", protocol: "h1", direction: "request" },
];
/** Not a comparison: what the engine itself takes for requests that wait. */
const PARKED = "parked";

/** What one target did in one round of one scenario. */
interface Sample {
  readonly cpuUs: number;
  /** Right after the load. */
  readonly privateMib: number;
  readonly residentMib: number;
  readonly load: Load;
}

type Upstream = Omit<Place, "port" | "protocol">;

export const hop: Benchmark = {
  name: "hop",
  question: "What does a request cost on its way through us, beside a bare pipe and other proxies?",
  targets: targets.map(({ name }) => name),
  scenarios: [...scenarios.map(({ name }) => name), PARKED],
  async run(options: BenchmarkOptions): Promise<readonly Result[]> {
    if (availableParallelism() < 2 || !isInstalled("taskset")) throw new Error("needs two cores and taskset");
    const folder = mkdtempSync(join(tmpdir(), "rouse-hop-"));
    try {
      const upstream = { upstreamPort: await freePort(), upstreamPortH2: await freePort(), folder };
      await using _origin = await PinnedProcess.start(
        origin(upstream.upstreamPort, upstream.upstreamPortH2),
        LOAD_CORE,
      );
      const isWanted = (name: string): boolean => options.scenario === undefined || options.scenario === name;
      const results: Result[] = [];
      for (const scenario of scenarios) {
        if (!isWanted(scenario.name) || isOnlyFloor(scenario, options)) continue;
        const taken =
          scenario.kind === "requests"
            ? await runRequests(scenario, upstream, options)
            : await runLarge(scenario, upstream, options);
        results.push(...taken);
      }
      if (isWanted(PARKED) && (options.target ?? "engine") === "engine") {
        results.push(...(await runParked(upstream, options, { hop: HOP_CORE, load: LOAD_CORE })));
      }
      return results;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Targets take turns, round after round: what the machine does meanwhile falls on all of them. */
async function inTurns<T>(
  scenario: Requests | Large,
  upstream: Upstream,
  options: BenchmarkOptions,
  take: (hopped: PinnedProcess, place: Place) => Promise<{ readonly sample: T; readonly says: string }>,
): Promise<ReadonlyMap<string, readonly T[]>> {
  const { name, protocol } = scenario;
  const samples = new Map<string, T[]>();
  for (let round = 1; round <= (options.isQuick ? 2 : 5); round++) {
    for (const target of available(scenario, options, round === 1)) {
      const place = { ...upstream, port: await freePort(), protocol };
      await using hopped = await PinnedProcess.start(target.command(place), HOP_CORE);
      const { sample, says } = await take(hopped, place);
      samples.set(target.name, [...(samples.get(target.name) ?? []), sample]);
      options.progress(`${name}, round ${round}, ${target.name}: ${says}`);
    }
  }
  return samples;
}

async function runRequests(
  scenario: Requests,
  upstream: Upstream,
  options: BenchmarkOptions,
): Promise<readonly Result[]> {
  if (scenario.protocol === "h2" && !isInstalled("h2load")) {
    options.progress(`${scenario.name}: skipped, h2load is not installed`);
    return [];
  }
  const samples = await inTurns(scenario, upstream, options, async (hopped, place) => {
    await warmUp(scenario, place, hopped);
    const sample = await measure(scenario, place, { seconds: options.isQuick ? 2 : 5 }, hopped);
    const { perSecond, p99Ms, errors } = sample.load;
    const says = `${sample.cpuUs.toFixed(1)} µs, ${Math.round(perSecond)}/s, p99 ${p99Ms.toFixed(2)} ms, ${errors} errors`;
    return { sample, says };
  });
  const usOf = (name: string): number =>
    quantile(
      (samples.get(name) ?? []).map(({ cpuUs }) => cpuUs),
      0.5,
    );
  const floorUs = usOf(floorOf(scenario));
  return [
    ...[...samples].flatMap(([name, taken]) => resultsOf(`${scenario.name}, ${name}`, taken, floorUs)),
    ...PEERS.filter((peer) => samples.has(peer) && samples.has(ENGINE)).map((peer) =>
      result(`${scenario.name}, engine beside ${peer}: processor time`, "µs/request", usOf(ENGINE), {
        baseline: usOf(peer),
      }),
    ),
  ];
}

async function runLarge(
  scenario: Large,
  upstream: Upstream,
  options: BenchmarkOptions,
): Promise<readonly Result[]> {
  const mebibytes = options.isQuick ? 256 : 1_024;
  const { direction } = scenario;
  const samples = await inTurns<LargeBody>(scenario, upstream, options, async (hopped, { port }) => {
    const sample = await moveLargeBody(hopped, { port, direction, mebibytes });
    const { mebibytesPerSecond, cpuMsPerGibibyte, growthMib } = sample;
    const says = `${mebibytesPerSecond.toFixed(0)} MiB/s, ${cpuMsPerGibibyte.toFixed(0)} ms/GiB, ${growthMib.toFixed(1)} MiB more`;
    return { sample, says };
  });
  const floor = samples.get(floorOf(scenario)) ?? [];
  return [...samples].flatMap(([name, taken]) =>
    largeBodyResults(`${scenario.name} of ${mebibytes} MiB, ${name}`, taken, floor),
  );
}

/** Compiled and connected before anything counts: by requests, as a busy machine does few in a second. */
async function warmUp(scenario: Requests, place: Place, hopped: PinnedProcess): Promise<void> {
  let requests = 0;
  for (let second = 0; second < WARM_UP_SECONDS_MAX && requests < WARM_UP_REQUESTS; second++) {
    requests += (await measure(scenario, place, { seconds: 1 }, hopped)).load.requests;
  }
}

async function measure(
  scenario: Requests,
  place: Place,
  { seconds }: { readonly seconds: number },
  hopped: PinnedProcess,
): Promise<Sample> {
  const { path, postBytes } = scenario;
  const headers = scenario.isToRevision === true ? REVISION : {};
  const plan = { port: place.port, path, seconds, postBytes, headers, folder: place.folder, core: LOAD_CORE };
  const beforeUs = hopped.cpuUs();
  const load =
    scenario.protocol === "h1"
      ? await http1Load({ ...plan, connections: CONNECTIONS })
      : await http2Load({ ...plan, connections: HTTP2_CONNECTIONS, streams: HTTP2_STREAMS });
  return {
    cpuUs: (hopped.cpuUs() - beforeUs) / Math.max(1, load.requests),
    privateMib: hopped.anonymousKib() / 1_024,
    residentMib: hopped.residentKib() / 1_024,
    load,
  };
}

function resultsOf(name: string, samples: readonly Sample[], floorUs: number): readonly Result[] {
  const cpuUs = samples.map((sample) => sample.cpuUs);
  const of = (figure: keyof Load): number[] => samples.map(({ load }) => load[figure]);
  const median = (figure: keyof Load): number => quantile(of(figure), 0.5);
  return [
    result(`${name}: processor time`, "µs/request", quantile(cpuUs, 0.5), {
      spread: spread(cpuUs),
      baseline: floorUs,
    }),
    result(
      `${name}: private memory`,
      "MiB",
      quantile(
        samples.map(({ privateMib }) => privateMib),
        0.5,
      ),
    ),
    result(
      `${name}: resident memory`,
      "MiB",
      quantile(
        samples.map(({ residentMib }) => residentMib),
        0.5,
      ),
    ),
    result(`${name}: rate`, "requests/s", median("perSecond"), { spread: spread(of("perSecond")) }),
    result(`${name}: p50`, "ms", median("p50Ms")),
    result(`${name}: p99`, "ms", median("p99Ms")),
    result(`${name}: p99 over p50`, "", median("p99Ms") / median("p50Ms")),
    result(
      `${name}: errors`,
      "requests",
      of("errors").reduce((sum, count) => sum + count, 0),
    ),
  ];
}

/** What the others are set beside. */
function floorOf({ protocol }: Requests | Large): string {
  return protocol === "h1" ? "pipe" : "http2-pass";
}

/** Nothing to set beside it: the target asked for takes no part. */
function isOnlyFloor(scenario: Requests | Large, options: BenchmarkOptions): boolean {
  const { target } = options;
  return target !== undefined && !available(scenario, options, false).some(({ name }) => name === target);
}

function available(
  scenario: Requests | Large,
  { target: wanted, progress }: BenchmarkOptions,
  says: boolean,
): readonly Target[] {
  const floor = floorOf(scenario);
  const isToRevision = scenario.kind === "requests" && scenario.isToRevision === true;
  return targets.filter((target) => {
    const { name } = target;
    if (!target.protocols.includes(scenario.protocol)) return false;
    if (name !== floor && wanted !== undefined && ![name, target.with].includes(wanted)) return false;
    if (isToRevision ? name !== floor && !OURS.includes(name) : target.needsRevision === true) return false;
    const missing = target.missing();
    if (missing !== undefined && says) progress(`${name}: skipped, ${missing}`);
    return missing === undefined;
  });
}
