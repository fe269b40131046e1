import type { RevisionKey } from "../revision.ts";

/** One reporting period of one pod or activator. S-27; "empty" when every field is zero or blank (S-28). */
export interface Stat {
  readonly podName: string;
  /** Time-weighted requests in flight over the period, proxied ones included. */
  readonly averageConcurrentRequests: number;
  /** The part of it that came through an activator (S-30). */
  readonly averageProxiedConcurrentRequests: number;
  /** Arrivals in the period, per second. */
  readonly requestCount: number;
  readonly proxiedRequestCount: number;
  /** Seconds. */
  readonly processUptime: number;
  /** Unix seconds; 0 = to be stamped by the first autoscaler that receives it (S-38). */
  readonly timestamp: number;
}

/** A stat with the revision it is about: one entry of a `WireStatMessages` batch. */
export interface StatMessage {
  readonly revision: RevisionKey;
  readonly stat: Stat;
}

/** `poke`: load the autoscaler does not know of yet, to be told at once. `period`: what the last second was like. */
export type ReportKind = "poke" | "period";

/** Where an activator's reports go: a WebSocket in a cluster, a function call in the embedded home. */
export interface StatSink {
  /** Takes one batch. Never throws; a sink that cannot deliver drops and counts. */
  send(batch: readonly StatMessage[], kind?: ReportKind): void;
}
