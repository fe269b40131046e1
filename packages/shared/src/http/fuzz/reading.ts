import { METHODS } from "node:http";
import { BodyFramer } from "../h1/body-framer.ts";
import { RequestParser } from "../h1/request-parser.ts";

/** One request as a parser read it. Texts are latin-1, so that they compare byte for byte. */
export interface ReadRequest {
  readonly method: string;
  /** As it came: an absolute target whole. */
  readonly target: string;
  readonly version: string;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

/** What we would forward of one connection, and how many of its bytes that is. */
export interface Reading {
  readonly requests: readonly ReadRequest[];
  readonly bytes: number;
}

/**
 * What our parser and framer make of the bytes of one connection, up to the first refusal, the last request, or one that
 * Node's parser refuses by a choice of its own: a method it does not know, which a proxy must pass on (RFC 9110 §9.1),
 * or a target with raw non-ASCII bytes, which we do not send on as it came but percent-encoded.
 */
export function readOurs(bytes: Buffer): Reading {
  const parser = new RequestParser();
  const framer = new BodyFramer();
  const requests: ReadRequest[] = [];
  let at = 0;
  let wholeTo = 0;
  while (at < bytes.length) {
    if (parser.feed(bytes, at, bytes.length) !== "done") break;
    const { head } = parser;
    at = parser.to;
    let body = "";
    if (head.hasBody) {
      framer.start(head.framing, head.contentLength);
      let event = framer.read(bytes, at, bytes.length);
      for (; event === "data"; event = framer.read(bytes, framer.to, bytes.length)) {
        body += bytes.toString("latin1", framer.dataFrom, framer.dataTo);
      }
      if (event !== "end") break;
      at = framer.to;
    }
    const lineTo = bytes.indexOf("\r", head.lineStart);
    const [, target = ""] = bytes.toString("latin1", head.lineStart, lineTo).split(" ");
    if (!METHODS.includes(head.method) || /[^\x21-\x7e]/.test(target)) break;
    wholeTo = at;
    requests.push({
      method: head.method,
      target,
      version: head.version,
      fields: [...head.entries()].flat(),
      body,
      trailers: head.hasBody ? [...(framer.trailers?.entries() ?? [])].flat() : [],
    });
    // What follows is not a request on this connection; to Node's parser, also behind a body with an offer to switch,
    // which we neither take nor send on.
    if (head.isLast || head.has("upgrade")) break;
  }
  return { requests, bytes: wholeTo };
}
