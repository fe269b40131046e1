import type { HttpVersion, RequestHead } from "../exchange.ts";
import { COLON } from "../grammar.ts";
import { firstOf, Http2Fields } from "./fields.ts";

/** A request head of HTTP/2. */
export class Http2RequestHead extends Http2Fields implements RequestHead {
  readonly version: HttpVersion = "2.0";
  readonly method: string;
  readonly target: string;
  readonly host: string;

  constructor(raw: readonly string[]) {
    super(raw);
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
    this.host = authority ?? firstOf(raw, "host") ?? "";
  }
}
