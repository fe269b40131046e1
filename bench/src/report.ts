import { arch, availableParallelism, cpus, totalmem, type } from "node:os";
import type { Result } from "./benchmark.ts";

/** What a run leaves behind: figures with the machine they are from. */
export interface Report {
  readonly name: string;
  readonly node: string;
  readonly machine: string;
  readonly results: readonly Result[];
}

export function report(name: string, results: readonly Result[]): Report {
  return { name, node: process.version, machine: machine(), results };
}

/** The figures as lines of a table. */
export function table(results: readonly Result[]): readonly string[] {
  const rows = [
    ["metric", "value", "spread", "baseline", "ratio"],
    ...results.map(({ metric, unit, value, spread, baseline, ratio }) => [
      metric,
      `${value} ${unit}`,
      spread === null ? "" : `± ${spread}`,
      baseline === null ? "" : `${baseline} ${unit}`,
      ratio === null ? "" : `× ${ratio}`,
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function machine(): string {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const gib = (totalmem() / 2 ** 30).toFixed(1);
  return `${type()} ${arch()}, ${availableParallelism()} cores of ${model}, ${gib} GiB`;
}
