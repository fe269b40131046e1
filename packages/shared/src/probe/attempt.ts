import { unreachable } from "../invariant.ts";
import { attemptGrpc } from "./attempt-grpc.ts";
import { attemptHttp } from "./attempt-http.ts";
import type { AttemptOptions, AttemptResult } from "./attempt-result.ts";
import { attemptTcp } from "./attempt-tcp.ts";
import type { ProbeTarget } from "./probe-target.ts";

/** Asks once. Never rejects; opens nothing that outlives it. */
export function attempt(target: ProbeTarget, options: AttemptOptions): Promise<AttemptResult> {
  switch (target.kind) {
    case "tcp":
      return attemptTcp(target, options);
    case "http":
      return attemptHttp(target, options);
    case "grpc":
      return attemptGrpc(target, options);
    default:
      return unreachable(target);
  }
}
