import { readdirSync, readFileSync } from "node:fs";

/** Processes whose command line has all of these words in it, oldest first: Linux alone. */
export function processesWith(...words: readonly string[]): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const line = textOf(`/proc/${pid}/cmdline`);
      return words.every((word) => line.includes(word));
    })
    .map(Number)
    .sort((a, b) => a - b);
}

/** Processes that this one has started itself. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    textOf(`/proc/${pid}/task/${task}/children`)
      .split(" ")
      .filter((text) => text !== "")
      .map(Number),
  );
}

/** Memory that nobody shares with it, in MiB. */
export function privateMiB(pid: number): number {
  const text = textOf(`/proc/${pid}/smaps_rollup`);
  const kib = [...text.matchAll(/^Private_\w+:\s+(\d+) kB/gm)].reduce(
    (sum, [, number]) => sum + Number(number),
    0,
  );
  return kib / 1_024;
}

/** One that is gone has nothing to say. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
