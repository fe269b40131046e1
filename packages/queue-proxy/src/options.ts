import type { Clock, Layer, Logger, Network, Probe, ProxyError, Random } from "@rouse/shared";
import type { QueueProxyContext } from "./accept/context.ts";
import type { ReadinessOptions } from "./probe/readiness.ts";

export interface QueueProxyDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Sockets unless given. */
  readonly network?: Network;
}

export interface QueueProxyOptions {
  /** The pod's own address. */
  readonly ip: string;
  /** 0 lets the system choose; `address` says what it chose. */
  readonly port: number;
  readonly podName: string;
  readonly revision: { readonly namespace: string; readonly name: string };
  /** Where the program listens, on 127.0.0.1. */
  readonly userPort: number;
  /** 0 = unlimited. */
  readonly containerConcurrency: number;
  /** The three limits of a request; 0 switches one off. */
  readonly timeoutMs: number;
  readonly responseStartTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Without one, an open port is ready. */
  readonly readinessProbe?: Probe;
  /**
   * How long no request may arrive before a drain counts as done. In a cluster 30 s, the time a change of endpoints may
   * take to reach everyone; 200 ms unless told, for a home in which it takes microseconds.
   */
  readonly drainQuietMs?: number;
  /** What a drain may take in all, requests that still run included. No limit unless told. */
  readonly drainLimitMs?: number;
  /** Asked instead of `readinessProbe`: all must succeed, none means always ready. */
  readonly readinessProbes?: readonly Probe[];
  /** Asks an HTTP probe by HTTP/2 first. */
  readonly detectsHttp2?: boolean;
  /** What looks on, at each place of the chain. */
  readonly onlookers?: Onlookers;
}

/** Layers that measure and write down; a home has none. Each list is in the order a request travels. */
export interface Onlookers {
  /** In front of all: they see probes as well. */
  readonly outermost: readonly Layer<QueueProxyContext>[];
  /** In front of the breaker, where waiting begins. */
  readonly waiting: readonly Layer<QueueProxyContext>[];
  /** Behind the breaker: what they see goes to the program. */
  readonly admitted: readonly Layer<QueueProxyContext>[];
  /** Told of each request the program could not be sent, or did not answer. */
  failed(error: ProxyError): void;
}

/** A home's one probe may be of any kind and none; what it does not say is an open port. */
export function readinessOf({
  userPort,
  readinessProbe,
  readinessProbes,
  detectsHttp2 = false,
}: QueueProxyOptions): ReadinessOptions {
  if (readinessProbes !== undefined) return { userPort, probes: readinessProbes, detectsHttp2 };
  const isAskable =
    readinessProbe === undefined || readinessProbe.httpGet !== undefined || readinessProbe.grpc !== undefined;
  return {
    userPort,
    probes: [isAskable ? readinessProbe : { tcpSocket: {}, ...readinessProbe }],
    detectsHttp2,
  };
}
