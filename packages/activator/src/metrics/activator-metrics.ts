import { type Family, Histogram, type RevisionKey, SECONDS_BOUNDS } from "@rouse/shared";
import { timedPhases } from "../report/time-cold-start.ts";
import type { RevisionEntry } from "../resolve/revision-entry.ts";
import { fullLabels, oldLabels, shortLabels } from "./revision-labels.ts";

export interface MetricSources {
  readonly entries: () => Iterable<RevisionEntry>;
  /** The value of the last periodic report. A-49. */
  readonly reported: (revision: RevisionKey) => number | undefined;
  /** `undefined` where there is no connection to have. A-99. */
  readonly connection: ReportConnection | undefined;
}

export interface ActivatorMetricsOptions {
  readonly podName: string;
  /** Names of releases up to 1.18 as well. A-50 */
  readonly hasOldNames: boolean;
}

/** The connection reports go over. */
export interface ReportConnection {
  readonly isConnected: boolean;
  /** Established ones that were lost. */
  readonly errors: number;
}

const SCOPE = "knative.dev/serving/pkg/activator";

/**
 * What the activator tells of its own state, under the contract's names (A §3.6). It is read when it is asked for, so
 * that it cannot drift from what it is about, and goes with its revision.
 */
export class ActivatorMetrics {
  readonly #options: ActivatorMetricsOptions;
  readonly #coldStart = new Histogram(SECONDS_BOUNDS);
  readonly #phases = timedPhases.map((phase) => this.#coldStart.series(phase, () => [["phase", phase]]));

  constructor(options: ActivatorMetricsOptions) {
    this.#options = options;
  }

  /** @param tookMs of each of `timedPhases` */
  coldStarted(tookMs: readonly number[]): void {
    for (const [index, series] of this.#phases.entries()) {
      this.#coldStart.observe(series, (tookMs[index] ?? 0) / 1_000);
    }
  }

  families({ entries, reported, connection }: MetricSources): readonly Family[] {
    const concurrency = (labelsOf: typeof fullLabels) =>
      [...entries()].flatMap((entry) => {
        const value = reported(entry.target.key);
        return value === undefined ? [] : [{ labels: labelsOf(entry), value }];
      });
    const counts = (of: (entry: RevisionEntry) => number) =>
      [...entries()].filter(isActive).map((entry) => ({ labels: shortLabels(entry), value: of(entry) }));
    const gauge = { kind: "gauge", unit: "{request}", scope: SCOPE } as const;
    return [
      {
        ...gauge,
        ...named("kn.revision.request.concurrency"),
        help: "Average requests of the last period, as told to the autoscaler.",
        read: () => concurrency(fullLabels),
      },
      {
        ...gauge,
        ...named("kn.revision.request.queued"),
        help: "Requests that wait for a pod.",
        read: () => counts(({ throttle, retrying }) => throttle.held + retrying.size),
      },
      {
        ...gauge,
        ...named("kn.revision.request.active"),
        help: "Requests that are at a pod.",
        read: () => counts(({ throttle }) => throttle.pods.inFlight),
      },
      ...(connection === undefined ? [] : connectionFamilies(connection)),
      {
        kind: "histogram",
        unit: "s",
        scope: "",
        ...named("rouse.activator.cold_start", "_seconds"),
        help: "What requests that were held waited for.",
        histogram: { bounds: SECONDS_BOUNDS, all: () => (this.#isUsed ? this.#coldStart.all() : []) },
      },
      ...(this.#options.hasOldNames
        ? [
            {
              kind: "gauge",
              otelName: "",
              prometheusName: "activator_request_concurrency",
              unit: "",
              scope: "",
              help: "Concurrent requests that are routed to Activator",
              read: () => concurrency((entry) => oldLabels(entry, this.#options.podName)),
            } as const,
          ]
        : []),
    ];
  }

  /** Without a cold start there is nothing to show. */
  get #isUsed(): boolean {
    for (const { count } of this.#coldStart.all()) if (count > 0) return true;
    return false;
  }
}

function connectionFamilies(connection: ReportConnection): readonly Family[] {
  const labels = [["peer", "autoscaler"]] as const;
  return [
    {
      kind: "gauge",
      unit: "{reachable}",
      scope: SCOPE,
      ...named("kn.activator.stats.conn.reachable"),
      help: "Whether the autoscaler is connected.",
      read: () => [{ labels, value: connection.isConnected ? 1 : 0 }],
    },
    {
      kind: "counter",
      unit: "{error}",
      scope: SCOPE,
      ...named("kn.activator.stats.conn.errors", "_total"),
      help: "Connections to the autoscaler that were lost.",
      read: () => [{ labels, value: connection.errors }],
    },
  ];
}

function isActive({ throttle, retrying }: RevisionEntry): boolean {
  return throttle.pods.inFlight + throttle.held + retrying.size > 0;
}

function named(otelName: string, suffix = "") {
  return { otelName, prometheusName: otelName.replaceAll(".", "_") + suffix };
}
