import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import autocannon from "autocannon";

/** One measured stretch of load. */
export interface Load {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that were not 2xx, and connections that failed. */
  readonly errors: number;
}

export interface LoadPlan {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  readonly postBytes: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Where scripts for the load tool may be written. */
  readonly folder: string;
  readonly core: number;
}

/** Whether a program is installed. */
export function isInstalled(program: string): boolean {
  return spawnSync("which", [program]).status === 0;
}

/** HTTP/1.1 load by wrk; by autocannon, which costs more of the other core, where wrk is not installed. */
export async function http1Load(plan: LoadPlan): Promise<Load> {
  const url = `http://127.0.0.1:${plan.port}${plan.path}`;
  if (!isInstalled("wrk")) return autocannonLoad(url, plan);
  const args = [
    "-t1",
    `-c${plan.connections}`,
    `-d${plan.seconds}s`,
    "--latency",
    ...headerOptions(plan),
    url,
  ];
  if (plan.postBytes > 0) {
    const script = join(plan.folder, "post.lua");
    writeFileSync(script, `wrk.method = "POST"\nwrk.body = string.rep("x", ${plan.postBytes})\n`);
    args.push("-s", script);
  }
  const text = await output("taskset", ["-c", String(plan.core), "wrk", ...args]);
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
  const failed = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  const socket =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  return {
    requests,
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? 0),
    p50Ms: milliseconds(/^\s+50%\s+(\S+)/m.exec(text)?.[1]),
    p99Ms: milliseconds(/^\s+99%\s+(\S+)/m.exec(text)?.[1]),
    errors: failed + socket.reduce((sum, count) => sum + Number(count), 0),
  };
}

/** HTTP/2 load by h2load: several connections with several streams each. */
export async function http2Load(plan: LoadPlan & { readonly streams: number }): Promise<Load> {
  const args = [
    `-c${plan.connections}`,
    `-m${plan.streams}`,
    `-D${plan.seconds}`,
    ...headerOptions(plan),
    `http://127.0.0.1:${plan.port}${plan.path}`,
  ];
  if (plan.postBytes > 0) {
    const file = join(plan.folder, "post.bin");
    writeFileSync(file, "x".repeat(plan.postBytes));
    args.push("-d", file);
  }
  const text = await output("taskset", ["-c", String(plan.core), "h2load", ...args]);
  const counts = /(\d+) total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored/.exec(
    text,
  );
  const succeeded = Number(counts?.[2] ?? 0);
  return {
    requests: succeeded,
    perSecond: Number(/finished in [\d.]+\w+, ([\d.]+) req\/s/.exec(text)?.[1] ?? 0),
    p50Ms: milliseconds(/time for request:\s+\S+\s+\S+\s+(\S+)/.exec(text)?.[1]), // the mean: it reports no median
    p99Ms: milliseconds(/time for request:\s+\S+\s+(\S+)/.exec(text)?.[1]), // the longest
    errors: Number(counts?.[3] ?? 0) + Number(counts?.[4] ?? 0),
  };
}

async function autocannonLoad(url: string, plan: LoadPlan): Promise<Load> {
  const run = await autocannon({
    url,
    connections: plan.connections,
    duration: plan.seconds,
    headers: { ...plan.headers },
    ...(plan.postBytes > 0 ? { method: "POST" as const, body: "x".repeat(plan.postBytes) } : {}),
  });
  return {
    requests: run.requests.total,
    perSecond: run.requests.average,
    p50Ms: run.latency.p50,
    p99Ms: run.latency.p99,
    errors: run.errors + run.non2xx,
  };
}

function headerOptions({ headers }: LoadPlan): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
}

function output(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (bytes: Buffer) => {
      text += bytes.toString();
    });
    child.on("error", reject);
    child.on("close", () => resolve(text));
  });
}

function milliseconds(text: string | undefined): number {
  const [, value = "0", unit = "ms"] = /^([\d.]+)(us|ms|s)$/.exec(text ?? "") ?? [];
  return Number(value) * (unit === "s" ? 1_000 : unit === "us" ? 0.001 : 1);
}
