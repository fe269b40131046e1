/**
 * The environment makes no sense, and the process ends with exit code 1. `environment`: the line goes to stderr as it
 * is, the words of the reference's parser. `fatal`: it is logged, as what the reference logs as fatal.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly kind: "environment" | "fatal";

  constructor(kind: "environment" | "fatal", message: string) {
    super(message);
    this.kind = kind;
  }
}
