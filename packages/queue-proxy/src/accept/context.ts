import { Deadline, type Exchange, type MonoMs, type ProxyError, type Waiter } from "@rouse/shared";
import type { RequestTrace } from "../trace/tracing.ts";

/** Where a request stands with the breaker. */
export type Place = "outside" | "running" | Waiter<Exchange<QueueProxyContext>>;

/** What the layers of queue-proxy know about one exchange. Made by the server for each. */
export class QueueProxyContext {
  /** Sent by the kubelet to the program itself: not counted, not limited, its Host left alone. Q-18. */
  isKubeletMarked = false;
  /** Came through an activator, which reports it too. Q-20. */
  isProxied = false;
  place: Place = "outside";
  readonly deadline = new Deadline();
  /** When the breaker let it through; for metrics. */
  admittedAt: MonoMs | undefined;
  /** Provably no byte of it has reached the program. */
  isNotStarted = false;
  /** Why the first address of the program did not take it, while the second is tried. */
  refusal: ProxyError | undefined;
  /** Why the program did not answer, so that what the client got instead is ours: for metrics and spans. */
  upstreamError: ProxyError | undefined;
  trace: RequestTrace | undefined;
}
