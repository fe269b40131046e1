import type { HeadFields } from "../exchange.ts";

/** The fields of an HTTP/2 header list: names in lower case and values in turn, as they came. Pseudo-fields are none. */
export class Http2Fields implements HeadFields {
  /** Pseudo-fields included. */
  readonly raw: readonly string[];

  constructor(raw: readonly string[]) {
    this.raw = raw;
  }

  get(name: string): string | undefined {
    return name.startsWith(":") ? undefined : firstOf(this.raw, name.toLowerCase());
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  all(name: string): readonly string[] {
    const wanted = name.toLowerCase();
    const values: string[] = [];
    for (let at = 0; at < this.raw.length; at += 2) {
      if (this.raw[at] === wanted) values.push(this.raw[at + 1] ?? "");
    }
    return values;
  }

  *entries(): IterableIterator<readonly [name: string, value: string]> {
    for (let at = 0; at < this.raw.length; at += 2) {
      const name = this.raw[at] ?? "";
      if (!name.startsWith(":")) yield [name, this.raw[at + 1] ?? ""];
    }
  }
}

/** Value of the first field with this name, which is in lower case. */
export function firstOf(raw: readonly string[], name: string): string | undefined {
  for (let at = 0; at < raw.length; at += 2) if (raw[at] === name) return raw[at + 1];
  return undefined;
}
