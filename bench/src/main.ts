/**
 * `pnpm bench NAME [--quick] [--target T] [--scenario S] [--json FILE]`: runs one benchmark, or a part of it, prints its
 * figures, and writes them to FILE.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Benchmark } from "./benchmark.ts";
import { report, table } from "./report.ts";

/** Loaded when asked for: each brings its own peers and load tools. */
const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  activator: async () => (await import("./activator.ts")).activator,
  autoscaler: async () => (await import("./autoscaler.ts")).autoscaler,
  "cold-start": async () => (await import("./cold-start.ts")).coldStart,
  "many-services": async () => (await import("./many-services.ts")).manyServices,
  hop: async () => (await import("./hop.ts")).hop,
  scale: async () => (await import("./scale.ts")).scale,
  overlap: async () => (await import("./overlap.ts")).overlap,
  start: async () => (await import("./start.ts")).start,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    target: { type: "string" },
    scenario: { type: "string" },
    json: { type: "string" },
  },
});
const { quick: isQuick, target, scenario, json } = values;
const benchmark = await benchmarks[positionals[0] ?? ""]?.();

if (benchmark === undefined) {
  const names = Object.keys(benchmarks).join(", ");
  misused(`usage: bench NAME [--quick] [--target T] [--scenario S] [--json FILE]\nNAME: ${names}`);
} else if (target !== undefined && benchmark.targets?.includes(target) !== true) {
  misused(`--target: one of ${benchmark.targets?.join(", ") ?? "none, here"}`);
} else if (scenario !== undefined && benchmark.scenarios?.includes(scenario) !== true) {
  misused(`--scenario: one of ${benchmark.scenarios?.join(", ") ?? "none, here"}`);
} else {
  const root = resolve(import.meta.dirname, "../..");
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  progress(benchmark.question);
  const part = {
    ...(target === undefined ? {} : { target }),
    ...(scenario === undefined ? {} : { scenario }),
  };
  const results = await benchmark.run({ isQuick, root, progress, ...part });
  process.stdout.write(`${table(results).join("\n")}\n`);
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify(report(benchmark.name, results), null, 2)}\n`);
  }
}

function misused(text: string): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = 2;
}
