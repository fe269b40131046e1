import { readFile, writeFile } from "node:fs/promises";
import { basename, extname, relative, resolve } from "node:path";
import {
  parseAutoscalerConfig,
  parseTrace,
  type SimulationOptions,
  type SimulationResult,
  simulateTrace,
  type Trace,
  TraceError,
} from "@rouse/embedded";
import {
  annotations as annotationKeys,
  autoscaling,
  SeededRandom,
  validateAutoscalingAnnotations,
} from "@rouse/shared";
import { Failure, systemCode, usageFailure } from "../failure.ts";
import type { Output } from "../output.ts";
import { plot } from "./plot.ts";
import { summary, timeTable } from "./summary.ts";

export interface SimulateRequest {
  readonly trace: string;
  /** `key=value`; a key without a `/` gets the autoscaling prefix. */
  readonly annotations: readonly string[];
  /** `key=value` of config-autoscaler. */
  readonly config: readonly string[];
  readonly containerConcurrency: number;
  readonly startMs: number;
  readonly serviceMs: number;
  readonly seed: number;
  /** File of the picture; absent: named after the trace. `false`: none. */
  readonly plot: string | false | undefined;
  readonly isJson: boolean;
  readonly cwd: string;
}

/** As a home has them: see its config map. */
const HOME_CONFIG = { "allow-zero-initial-scale": "true", "scale-to-zero-grace-period": "5s" };
/** What a revision without an annotation for it begins with here: a trace is about traffic, not about its first pod. */
const FIRST = { [autoscaling.initialScale]: "0" };

/** Each in both spellings. S-10 */
const KNOWN: ReadonlySet<string> = new Set([
  annotationKeys.progressDeadline,
  ...Object.values(autoscaling)
    .filter((key) => key.startsWith(`${autoscaling.prefix}/`))
    .flatMap((key) => [key, key.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())]),
]);

/** Replays a trace and prints what it would have cost. @throws Failure */
export async function simulate(output: Output, request: SimulateRequest): Promise<void> {
  const trace = await readTrace(resolve(request.cwd, request.trace), request.trace);
  const options = simulationOptions(request);
  const result = simulateTrace(trace, options, new SeededRandom(request.seed));
  const title = `${basename(request.trace)}, ${settingsText(request)}`;
  const picture = request.plot ?? `${basename(request.trace, extname(request.trace))}.svg`;
  if (picture !== false) await write(resolve(request.cwd, picture), plot(title, result));
  if (request.isJson) {
    output.out(JSON.stringify({ ...summary(trace, result), steps: result.steps }, null, 2));
    return;
  }
  output.out(title);
  for (const line of timeTable(result)) output.out(line);
  for (const line of summaryLines(trace, result)) output.out(line);
  if (picture !== false) output.out(`plot         ${relative(request.cwd, resolve(request.cwd, picture))}`);
}

async function readTrace(path: string, name: string): Promise<Trace> {
  try {
    return parseTrace(await readFile(path, "utf8"));
  } catch (error) {
    if (error instanceof TraceError) throw usageFailure(`${name}: ${error.message}`);
    if (systemCode(error) === undefined) throw error;
    throw usageFailure(`cannot read ${name}: ${String(systemCode(error))}`);
  }
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new Failure(`cannot write ${path}: ${systemCode(error) ?? String(error)}`);
  }
}

function simulationOptions(request: SimulateRequest): SimulationOptions {
  const parsed = parseAutoscalerConfig({ ...HOME_CONFIG, ...pairs(request.config, "--config") });
  if (parsed.kind === "invalid") throw usageFailure(parsed.problems.join("\n"));
  const [ignored] = parsed.ignored;
  if (ignored !== undefined) throw usageFailure(`--config: config-autoscaler has no key "${ignored}"`);
  const given = Object.entries(pairs(request.annotations, "--annotation")).map(
    ([key, value]) => [key.includes("/") ? key : `${autoscaling.prefix}/${key}`, value] as const,
  );
  for (const [key, value] of given) checkKnown(key, value);
  const annotations = { ...FIRST, ...Object.fromEntries(given) };
  const wrong = validateAutoscalingAnnotations(annotations, {
    allowZeroInitialScale: true,
    maxScaleLimit: parsed.config.maxScaleLimit,
    defaultClass: autoscaling.kpaClass,
  });
  const [first] = wrong;
  if (first !== undefined) throw usageFailure(`--annotation: ${first.message}: ${first.paths.join(", ")}`);
  const { containerConcurrency, startMs, serviceMs } = request;
  return { annotations, config: parsed.config, containerConcurrency, startMs, serviceMs };
}

/** One that changes nothing here would be taken for one that makes no difference. @throws Failure */
function checkKnown(key: string, value: string): void {
  if (key === autoscaling.class && value !== autoscaling.kpaClass) {
    throw usageFailure(`--annotation: only revisions of the class ${autoscaling.kpaClass} are simulated`);
  }
  if (!KNOWN.has(key)) throw usageFailure(`--annotation: ${key} has no part in a simulation`);
}

function pairs(texts: readonly string[], option: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw usageFailure(`${option} is key=value, not ${JSON.stringify(text)}`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function settingsText({
  containerConcurrency,
  startMs,
  serviceMs,
  annotations,
  config,
}: SimulateRequest): string {
  const limit = containerConcurrency === 0 ? "no limit" : `${containerConcurrency} at a time`;
  return [`pods start in ${startMs} ms`, `serve in ${serviceMs} ms`, limit, ...annotations, ...config].join(
    ", ",
  );
}

function summaryLines(trace: Trace, result: SimulationResult): readonly string[] {
  const { waitMs, coldStarts, coldRequests, podSeconds, busyShare, podsMax, podsStarted } = summary(
    trace,
    result,
  );
  const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
  return [
    `requests     ${whole(trace.count)}`,
    `waiting      p50 ${whole(waitMs.p50)} ms, p99 ${whole(waitMs.p99)} ms, at most ${whole(waitMs.max)} ms`,
    `cold starts  ${whole(coldStarts)}, met by ${whole(coldRequests)} ${coldRequests === 1 ? "request" : "requests"}`,
    `pods         at most ${podsMax}, ${whole(podsStarted)} started`,
    `pod-seconds  ${whole(podSeconds)}, ${Math.round(busyShare * 100)} % of them with a request; one pod all the time: ${whole(result.durationMs / 1_000)}`,
  ];
}
