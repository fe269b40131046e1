import type { Exchange } from "@rouse/shared";

/** Spans of requests. Made by the chunk that holds the OpenTelemetry libraries; nothing here knows them. */
export interface Tracing {
  /** Opens the server's span. */
  begin(exchange: Exchange<unknown>, routeTag: string): RequestTrace;
}

/** The spans of one request, in the order they open and close. */
export interface RequestTrace {
  /** The way through the breaker and the program begins. */
  proxyStarted(): void;
  /** Only with a breaker: without one there is no wait to show. */
  waitStarted(): void;
  waitEnded(): void;
  /** Opens the client's span; what it returns is sent to the program. */
  forwarded(): Iterable<readonly [name: string, value: string]>;
  /** @param status 0 if the program did not answer */
  upstreamEnded(status: number, error: string | undefined): void;
  proxyEnded(): void;
  ended(status: number): void;
}
