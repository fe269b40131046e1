import type { Histogram } from "./histogram.ts";

export type Labels = Readonly<Record<string, string>>;
type MetricType = "counter" | "gauge" | "histogram";

/** Prometheus text, version 0.0.4, one family after the other. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Writes families of series as Prometheus text. A family without series is left out. */
export class Exposition {
  #text = "";

  family(
    name: string,
    { type, help }: { readonly type: "counter" | "gauge"; readonly help: string },
    series: Iterable<readonly [labels: Labels, value: number]>,
  ): void {
    let lines = "";
    for (const [labels, value] of series) lines += `${name}${braced(labels)} ${value}\n`;
    this.#add(name, type, help, lines);
  }

  histograms(
    name: string,
    help: string,
    series: Iterable<readonly [labels: Labels, histogram: Histogram]>,
  ): void {
    let lines = "";
    for (const [labels, histogram] of series) {
      for (const [le, count] of histogram.cumulative()) {
        lines += `${name}_bucket${braced({ ...labels, le })} ${count}\n`;
      }
      lines += `${name}_sum${braced(labels)} ${histogram.sum}\n${name}_count${braced(labels)} ${histogram.count}\n`;
    }
    this.#add(name, "histogram", help, lines);
  }

  toString(): string {
    return this.#text;
  }

  #add(name: string, type: MetricType, help: string, lines: string): void {
    if (lines !== "") this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines}`;
  }
}

function braced(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (one) => (one === "\n" ? "\\n" : `\\${one}`));
}
