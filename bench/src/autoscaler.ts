import type { Benchmark as Piece } from "@rouse/shared/testing";
import { type Benchmark, type BenchmarkOptions, type Result, result } from "./benchmark.ts";
import { quantile, spread } from "./quantile.ts";

const PACKAGE = "../../packages/autoscaler/";
const ROUNDS = 7;
const MIB = 1_048_576;
const IDLE_FULL = 10_000;
const IDLE_QUICK = 1_000;

interface Pieces {
  readonly recording: Piece;
  readonly tickOfAll: Piece;
}

interface Idle {
  readonly idleRevisions: (count: number) => Promise<{ readonly bytes: number }>;
}

/** The figures the autoscaler is held to, from the pieces that lie beside its code. */
export const autoscaler: Benchmark = {
  name: "autoscaler",
  question:
    "What does the autoscaler cost: a tick over a thousand busy revisions, a stat, ten thousand that sleep?",
  async run({ isQuick, progress }: BenchmarkOptions): Promise<readonly Result[]> {
    const { recording, tickOfAll } = await load<Pieces>("src/decide/beat.bench.ts");
    const { idleRevisions } = await load<Idle>("test/idle-revisions.ts");
    const share = isQuick ? 10 : 1;
    progress("ticks");
    const ticks = costs(tickOfAll, tickOfAll.full / share);
    progress("stats");
    const stats = costs(recording, recording.full / share).map((ms) => ms * 1_000);
    const count = isQuick ? IDLE_QUICK : IDLE_FULL;
    progress(`${count} idle revisions`);
    const { bytes } = await idleRevisions(count);
    return [
      row("tick over 1,000 revisions of 10 pods", "ms", ticks, 50),
      row("recording a stat", "µs", stats, 1),
      result(`${count} idle revisions`, "MiB", bytes / MIB, { baseline: (100 * count) / IDLE_FULL }),
    ];
  },
};

/** Milliseconds per round of a piece, several times; the first is for the compiler. */
function costs(piece: Piece, count: number): readonly number[] {
  piece.run(count);
  return Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    piece.run(count);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000 / count;
  });
}

/** A figure beside its budget. */
function row(metric: string, unit: string, samples: readonly number[], budget: number): Result {
  return result(metric, unit, quantile(samples, 0.5), { spread: spread(samples), baseline: budget });
}

async function load<T>(file: string): Promise<T> {
  const loaded: T = await import(new URL(`${PACKAGE}${file}`, import.meta.url).href);
  return loaded;
}
