import type * as http2 from "node:http2";
import { assert } from "../../invariant.ts";

/**
 * `node:http2`, loaded when the first HTTP/2 connection asks for it: it costs a process that never sees one 13 ms of its
 * start and 8 MB.
 */
export function http2Library(): typeof http2 {
  const library = process.getBuiltinModule("node:http2");
  assert(library !== undefined, "node:http2 is part of Node");
  return library;
}
