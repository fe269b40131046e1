import { Deadline, type Exchange, type Waiter } from "@rouse/shared";

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
}
