import type { Exchange } from "@rouse/shared";
import type { ActivatorContext } from "../accept/context.ts";

/** Spans of requests. Made by the bundle that holds the OpenTelemetry libraries; nothing here knows them. A-46 */
export interface Tracing {
  /** Opens the server's span. */
  begin(exchange: Exchange<ActivatorContext>): RequestTrace;
}

/** The spans of one request, in the order they open and close. */
export interface RequestTrace {
  /** It asks for a slot of a pod. */
  tryStarted(): void;
  /** It has one; or none, and why. */
  tryEnded(error?: string): void;
  /** It goes to a pod; what is returned is sent along. */
  forwarded(): Iterable<readonly [name: string, value: string]>;
  /** @param result the status of the pod's answer, or what went wrong instead */
  podAnswered(result: number | string): void;
  ended(status: number): void;
}
