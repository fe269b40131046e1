import { parseDuration } from "@rouse/shared";
import { InvalidArgumentError, Option } from "commander";

const DATA_DIR = ".rouse";

/** Where a command finds the platform. */
export function dataDirOption(): Option {
  return new Option("--data-dir <dir>", "where the platform keeps its state and its socket").default(
    DATA_DIR,
  );
}

/** `-f a -f b`, each a file or a directory. */
export function fileOption(): Option {
  return new Option(
    "-f, --filename <path>",
    "manifest file or directory; may be given several times",
  ).argParser((path: string, before: readonly string[] | undefined) => [...(before ?? []), path]);
}

/** 0: any free one. @throws InvalidArgumentError, as those below do */
export function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError("a port is 0 to 65535");
  return port;
}

/** One that may be given several times, and need not be. */
export function manyOption(flags: string, description: string): Option {
  return new Option(flags, description)
    .default([], "none")
    .argParser((text: string, before: readonly string[]) => [...before, text]);
}

/** Of nine digits at most. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("a whole number");
  return Number(text);
}

/** A duration as Go writes it, not below 0. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 0) throw new InvalidArgumentError("a duration, such as 250ms or 1.5s");
  return ms;
}
