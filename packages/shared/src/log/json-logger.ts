import { type Clock, rfc3339, type WallMs } from "../clock/clock.ts";
import type { LogFields, Logger } from "./logger.ts";
import { LEVELS, type Level, type LoggingConfig } from "./logging-config.ts";
import { MessageSampler } from "./message-sampler.ts";

/** Levels as Google's log viewer knows them, the reference's default. Q-141 */
const CLOUD_LEVELS: Readonly<Record<Level, string>> = {
  debug: "DEBUG",
  info: "INFO",
  warn: "WARNING",
  error: "ERROR",
  dpanic: "CRITICAL",
  panic: "ALERT",
  fatal: "EMERGENCY",
};
/** Lines of a stack that are the logger's own. */
const OWN_FRAMES = 3;

export interface JsonLoggerOptions {
  readonly clock: Clock;
  /** Takes one whole line. */
  readonly write: (line: string) => void;
  readonly logging: LoggingConfig;
  /** Which program speaks: the name of its logger, and instead of a file and line of the reference its one file. */
  readonly program: { readonly name: string; readonly caller: string };
}

/**
 * The process log: one JSON object per line, with the keys and levels of a zap configuration. Small, because a pod has
 * a sidecar for each of its own: a logging library would double what an idle one keeps. `revision` among the fields is
 * written under the reference's key.
 */
export class JsonLogger implements Logger {
  readonly #shared: Shared;
  readonly #fields: LogFields;

  private constructor(shared: Shared, fields: LogFields) {
    this.#shared = shared;
    this.#fields = fields;
  }

  static create(options: JsonLoggerOptions, fields: LogFields = {}): JsonLogger {
    const { logging } = options;
    return new JsonLogger({ ...options, logging, sampler: new MessageSampler(logging.sampling) }, fields);
  }

  /** From now on, here and in every logger made by `with`. */
  configure(logging: LoggingConfig): void {
    this.#shared.logging = logging;
    this.#shared.sampler = new MessageSampler(logging.sampling);
  }

  debug(message: string, fields?: LogFields): void {
    this.#log("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log("error", message, fields);
  }

  /** The last line of a process that cannot go on; whoever calls ends it. */
  fatal(message: string, fields?: LogFields): void {
    this.#log("fatal", message, fields);
  }

  with(fields: LogFields): Logger {
    return new JsonLogger(this.#shared, { ...this.#fields, ...fields });
  }

  #log(level: Level, message: string, fields: LogFields | undefined): void {
    const { clock, write, logging, sampler, program } = this.#shared;
    if (LEVELS.indexOf(level) < LEVELS.indexOf(logging.level)) return;
    const wall = clock.wall();
    const dropped = sampler.admit(message, wall);
    if (dropped === undefined) return;
    const { keys } = logging;
    const line: Record<string, unknown> = {};
    const put = (name: string, value: unknown): void => {
      if (name !== "") line[name] = value;
    };
    put(keys.level, levelText(level, logging.levelStyle));
    put(keys.time, timeText(wall, logging.timeStyle));
    put(keys.name, program.name);
    put(keys.caller, program.caller);
    put(keys.message, message);
    const { revision, ...rest } = { ...this.#fields, ...fields };
    if (revision !== undefined) line["knative.dev/key"] = revision;
    Object.assign(line, rest);
    if (dropped > 0) line.dropped = dropped;
    if (LEVELS.indexOf(level) >= LEVELS.indexOf("error")) put(keys.stacktrace, stack());
    write(`${JSON.stringify(line)}\n`);
  }
}

interface Shared extends JsonLoggerOptions {
  logging: LoggingConfig;
  sampler: MessageSampler;
}

function levelText(level: Level, style: LoggingConfig["levelStyle"]): string {
  if (style === "cloud") return CLOUD_LEVELS[level];
  return style === "capital" ? level.toUpperCase() : level;
}

/** Wall time is in milliseconds, so the digits behind them are zeroes. */
function timeText(wall: WallMs, style: LoggingConfig["timeStyle"]): string | number {
  const seconds = rfc3339(wall).slice(0, -1);
  const ms = String(Math.floor(wall % 1_000)).padStart(3, "0");
  switch (style) {
    case "rfc3339nano":
      return `${seconds}.${ms}000000Z`;
    case "rfc3339":
      return `${seconds}Z`;
    case "iso8601":
      return `${seconds}.${ms}Z`;
    case "millis":
      return wall;
    case "nanos":
      return wall * 1_000_000;
    default:
      return wall / 1_000;
  }
}

function stack(): string {
  return (new Error("").stack ?? "")
    .split("\n")
    .slice(1 + OWN_FRAMES)
    .join("\n");
}
