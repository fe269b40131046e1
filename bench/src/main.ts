/** `pnpm bench NAME [--quick] [--json FILE]`: runs one benchmark, prints its figures, and writes them to FILE. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Benchmark } from "./benchmark.ts";
import { report, table } from "./report.ts";

/** Loaded when asked for: each brings its own peers and load tools. */
const benchmarks: Readonly<Record<string, () => Promise<Benchmark>>> = {
  activator: async () => (await import("./activator.ts")).activator,
  "cold-start": async () => (await import("./cold-start.ts")).coldStart,
  hop: async () => (await import("./hop.ts")).hop,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, json: { type: "string" } },
});
const load = benchmarks[positionals[0] ?? ""];

if (load === undefined) {
  process.stderr.write(
    `usage: bench NAME [--quick] [--json FILE]\nNAME: ${Object.keys(benchmarks).join(", ")}\n`,
  );
  process.exitCode = 2;
} else {
  const benchmark = await load();
  const root = resolve(import.meta.dirname, "../..");
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  progress(benchmark.question);
  const results = await benchmark.run({ isQuick: values.quick, root, progress });
  process.stdout.write(`${table(results).join("\n")}\n`);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify(report(benchmark.name, results), null, 2)}\n`);
  }
}
