import type { Exchange, ExchangeOutcome } from "./exchange.ts";

/** What a request is put down as, in logs and metrics: 499 where its client left, 500 where its answer was cut. */
export function outcomeStatus(exchange: Exchange<unknown>, outcome: ExchangeOutcome): number {
  if (outcome.kind === "client-closed") return 499;
  return outcome.kind === "aborted" && exchange.status !== 101 ? 500 : exchange.status;
}
