import { type Clock, type LogFields, type Logger, rfc3339, type WallMs } from "@rouse/shared";
import { LEVELS, type Level, type LoggingConfig } from "../config/logging.ts";
import type { LogConfig } from "../config.ts";
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
/** The reference names a file and a line of its own source; ours are one file, so this says which program spoke. */
const CALLER = "queue-proxy/main.cjs";
/** Lines of a stack that are the logger's own. */
const OWN_FRAMES = 3;

export interface JsonLoggerDeps {
  readonly clock: Clock;
  /** Takes one whole line. */
  readonly write: (line: string) => void;
}

/**
 * The process log: one JSON object per line, with the keys and levels of a zap configuration. Small, because a pod has
 * one of us for each of its own: a logging library would double what an idle sidecar keeps.
 */
export class JsonLogger implements Logger {
  readonly #deps: JsonLoggerDeps;
  readonly #config: LogConfig;
  readonly #fields: LogFields;
  readonly #sampler: MessageSampler;

  constructor(deps: JsonLoggerDeps, config: LogConfig, fields: LogFields = {}, sampler?: MessageSampler) {
    this.#deps = deps;
    this.#config = config;
    this.#fields = fields;
    this.#sampler = sampler ?? new MessageSampler(config.logging.sampling);
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
    return new JsonLogger(this.#deps, this.#config, { ...this.#fields, ...fields }, this.#sampler);
  }

  #log(level: Level, message: string, fields: LogFields | undefined): void {
    const { logging, key, podName } = this.#config;
    if (LEVELS.indexOf(level) < LEVELS.indexOf(logging.level)) return;
    const { clock, write } = this.#deps;
    const wall = clock.wall();
    const dropped = this.#sampler.admit(message, wall);
    if (dropped === undefined) return;
    const { keys } = logging;
    const line: Record<string, unknown> = {};
    const put = (name: string, value: unknown): void => {
      if (name !== "") line[name] = value;
    };
    put(keys.level, levelText(level, logging.levelStyle));
    put(keys.time, timeText(wall, logging.timeStyle));
    put(keys.name, "queueproxy");
    put(keys.caller, CALLER);
    put(keys.message, message);
    line["knative.dev/key"] = key;
    line["knative.dev/pod"] = podName;
    Object.assign(line, this.#fields, fields);
    if (dropped > 0) line.dropped = dropped;
    if (LEVELS.indexOf(level) >= LEVELS.indexOf("error")) put(keys.stacktrace, stack());
    write(`${JSON.stringify(line)}\n`);
  }
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
