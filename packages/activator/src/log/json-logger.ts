import { type Clock, type LogFields, type Logger, rfc3339 } from "@rouse/shared";

const SEVERITIES = { debug: "DEBUG", info: "INFO", warn: "WARNING", error: "ERROR" } as const;
type Level = keyof typeof SEVERITIES;
const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];

export interface JsonLoggerDeps {
  readonly clock: Clock;
  /** Takes one whole line. */
  readonly write: (line: string) => void;
  readonly podName: string;
  /** What is less than this is not written. */
  readonly level: Level;
}

/** The process log: one JSON object per line, with the reference's keys. A-51. */
export class JsonLogger implements Logger {
  readonly #deps: JsonLoggerDeps;
  readonly #fields: LogFields;

  constructor(deps: JsonLoggerDeps, fields: LogFields = {}) {
    this.#deps = deps;
    this.#fields = fields;
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

  with(fields: LogFields): Logger {
    return new JsonLogger(this.#deps, { ...this.#fields, ...fields });
  }

  #log(level: Level, message: string, fields: LogFields = {}): void {
    const { clock, write, podName, level: least } = this.#deps;
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
    const { revision, ...rest } = { ...this.#fields, ...fields };
    const line = {
      severity: SEVERITIES[level],
      timestamp: rfc3339(clock.wall()),
      logger: "activator",
      caller: "activator/main.cjs",
      message,
      "knative.dev/controller": "activator",
      "knative.dev/pod": podName,
      ...(revision === undefined ? {} : { "knative.dev/key": revision }),
      ...rest,
    };
    write(`${JSON.stringify(line)}\n`);
  }
}
