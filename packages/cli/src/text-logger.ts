import type { LogFields, Logger } from "@rouse/shared";

/** Log lines for a person: `warning: message key=value`. */
export class TextLogger implements Logger {
  readonly #write: (line: string) => void;
  readonly #isVerbose: boolean;
  readonly #fields: LogFields;

  constructor(
    write: (line: string) => void,
    options: { readonly isVerbose: boolean },
    fields: LogFields = {},
  ) {
    this.#write = write;
    this.#isVerbose = options.isVerbose;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    if (this.#isVerbose) this.#line("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    if (this.#isVerbose) this.#line("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#line("warning", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#line("error", message, fields);
  }

  with(fields: LogFields): Logger {
    return new TextLogger(this.#write, { isVerbose: this.#isVerbose }, { ...this.#fields, ...fields });
  }

  #line(level: string, message: string, fields: LogFields = {}): void {
    const pairs = Object.entries({ ...this.#fields, ...fields })
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ` ${key}=${typeof value === "string" ? JSON.stringify(value) : value}`);
    this.#write(`${level}: ${message}${pairs.join("")}`);
  }
}
