import type * as tls from "node:tls";
import { assert } from "../../invariant.ts";

/** `node:tls`, loaded when the first listener or upstream asks for it: it costs a start 6 ms and, with its crypto, 2 MB. */
export function tlsLibrary(): typeof tls {
  const library = process.getBuiltinModule("node:tls");
  assert(library !== undefined, "node:tls is part of Node");
  return library;
}
