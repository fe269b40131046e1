import type { RequestHead } from "@rouse/shared";

/** A request head without a connection it came from. */
export class SimHead implements RequestHead {
  readonly method = "GET";
  readonly target = "/";
  readonly version = "1.1";
  readonly #fields: ReadonlyMap<string, string>;

  /** Names in lower case. */
  constructor(fields: ReadonlyMap<string, string>) {
    this.#fields = fields;
  }

  get host(): string {
    return this.get("host") ?? "";
  }

  get(name: string): string | undefined {
    return this.#fields.get(name.toLowerCase());
  }

  has(name: string): boolean {
    return this.#fields.has(name.toLowerCase());
  }

  all(name: string): readonly string[] {
    const value = this.get(name);
    return value === undefined ? [] : [value];
  }

  entries(): IterableIterator<readonly [name: string, value: string]> {
    return this.#fields.entries();
  }
}
