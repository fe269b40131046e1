import type * as http2 from "node:http2";
import { assert } from "../../invariant.ts";
import { headersOf, trailerHeaders } from "./headers.ts";

/**
 * `node:http2`, loaded when the first HTTP/2 connection asks for it: it costs a process that never sees one 13 ms of its
 * start and 8 MB.
 */
export function http2Library(): typeof http2 {
  const library = process.getBuiltinModule("node:http2");
  assert(library !== undefined, "node:http2 is part of Node");
  return library;
}

/** Answers by list came with Node 24.7. Node 22 takes them as an object, which costs a little more. */
const [MAJOR = 0, MINOR = 0] = process.versions.node.split(".").map(Number);
const TAKES_LISTS = MAJOR > 24 || (MAJOR === 24 && MINOR >= 7);

/** `stream.respond`, with names and values in turn. */
export function respond(
  stream: http2.ServerHttp2Stream,
  list: readonly string[],
  how: http2.ServerStreamResponseOptions,
): void {
  stream.respond(TAKES_LISTS ? list : headersOf(list), how);
}

/** RFC 9113 §7. */
const INTERNAL_ERROR = 2;

/** Ones that Node takes from nobody, such as a repeated single-valued field, cut the message they belong to. */
export function sendTrailers(to: http2.Http2Stream, raw: readonly string[] = []): void {
  try {
    to.sendTrailers(trailerHeaders(raw));
  } catch {
    to.close(INTERNAL_ERROR);
  }
}
