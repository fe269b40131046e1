import type { HttpVersion, RequestHead } from "../exchange.ts";
import { COLON } from "../grammar.ts";

/** A request head of HTTP/2: names and values in turn, as they came. Pseudo-fields are not fields. */
export class Http2RequestHead implements RequestHead {
  readonly version: HttpVersion = "2.0";
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** Names in lower case and values in turn, pseudo-fields included. */
  readonly raw: readonly string[];

  constructor(raw: readonly string[]) {
    this.raw = raw;
    let method = "";
    let target = "";
    let authority: string | undefined;
    for (let at = 0; at < raw.length; at += 2) {
      const name = raw[at] ?? "";
      if (name.charCodeAt(0) !== COLON) break; // pseudo-fields come first: RFC 9113 §8.3
      if (name === ":method") method = raw[at + 1] ?? "";
      else if (name === ":path") target = raw[at + 1] ?? "";
      else if (name === ":authority") authority = raw[at + 1];
    }
    this.method = method;
    this.target = target;
    this.host = authority ?? this.#first("host") ?? "";
  }

  get(name: string): string | undefined {
    return name.startsWith(":") ? undefined : this.#first(name.toLowerCase());
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

  #first(name: string): string | undefined {
    for (let at = 0; at < this.raw.length; at += 2) {
      if (this.raw[at] === name) return this.raw[at + 1];
    }
    return undefined;
  }
}
