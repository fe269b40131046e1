import type { SimulationResult, Step, Trace } from "@rouse/embedded";

const ROWS = 24;
const BAR_CHARS = 30;

export interface Summary {
  readonly requests: number;
  readonly durationSeconds: number;
  readonly waitMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly coldStarts: number;
  readonly coldRequests: number;
  readonly podsStarted: number;
  readonly podsMax: number;
  readonly podSeconds: number;
  /** Of the pods' time, that in which they had a request. */
  readonly busyShare: number;
}

export function summary(trace: Pick<Trace, "count">, result: SimulationResult): Summary {
  const { waitedMs, podSeconds, busyPodSeconds } = result;
  return {
    requests: trace.count,
    durationSeconds: result.durationMs / 1_000,
    waitMs: { p50: quantile(waitedMs, 0.5), p99: quantile(waitedMs, 0.99), max: waitedMs.at(-1) ?? 0 },
    coldStarts: result.coldStarts,
    coldRequests: result.coldRequests,
    podsStarted: result.podsStarted,
    podsMax: result.podsMax,
    podSeconds,
    busyShare: podSeconds === 0 ? 0 : busyPodSeconds / podSeconds,
  };
}

/** Pods over time, in some two dozen rows. */
export function timeTable({ steps }: SimulationResult): readonly string[] {
  const podsMax = Math.max(1, ...steps.map(({ readyPods, startingPods }) => readyPods + startingPods));
  const size = Math.max(1, Math.ceil(steps.length / ROWS));
  const rows: string[] = ["    from  requests  waiting  pods"];
  for (let from = 0; from < steps.length; from += size) {
    const part = steps.slice(from, from + size);
    const pods = Math.max(...part.map(({ readyPods, startingPods }) => readyPods + startingPods));
    const requests = part.reduce((sum, { arrivals }) => sum + arrivals, 0);
    const waiting = Math.max(...part.map((step) => step.waiting));
    const bar = "█".repeat(Math.round((pods / podsMax) * BAR_CHARS));
    rows.push(
      `${clockTime(part[0])}${String(requests).padStart(10)}${String(waiting).padStart(9)}${String(pods).padStart(6)} ${bar}`.trimEnd(),
    );
  }
  return rows;
}

/** The value below which the share of the ascending values lies. */
export function quantile(ascending: Float64Array, share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? 0;
}

function clockTime(step: Step | undefined): string {
  const seconds = Math.floor((step?.atMs ?? 0) / 1_000);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  return `${two(seconds / 3_600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}
