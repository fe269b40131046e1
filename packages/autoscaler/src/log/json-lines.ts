import { type Clock, type LogFields, type Logger, rfc3339 } from "@rouse/shared";

/** One line of JSON for each message from `info` on, as collectors of logs read them. */
export class JsonLines implements Logger {
  readonly #deps: { readonly clock: Clock; readonly write: (line: string) => void };
  readonly #fields: LogFields;

  constructor(
    deps: { readonly clock: Clock; readonly write: (line: string) => void },
    fields: LogFields = {},
  ) {
    this.#deps = deps;
    this.#fields = fields;
  }

  /** Left out: it is for looking into one process, not for keeping. */
  debug(): void {}

  info(message: string, fields?: LogFields): void {
    this.#line("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#line("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#line("error", message, fields);
  }

  with(fields: LogFields): Logger {
    return new JsonLines(this.#deps, { ...this.#fields, ...fields });
  }

  #line(severity: string, message: string, fields: LogFields = {}): void {
    const { clock, write } = this.#deps;
    const line = { severity, timestamp: rfc3339(clock.wall()), message, ...this.#fields, ...fields };
    write(`${JSON.stringify(line)}\n`);
  }
}
