import type { RevisionKey } from "@rouse/shared";
import { timedPhases } from "../report/time-cold-start.ts";
import type { RevisionEntry } from "../resolve/revision-entry.ts";
import { Exposition, type Labels } from "./exposition.ts";
import { Histogram } from "./histogram.ts";

/** Methods that have a series of their own; all others share one. */
const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "CONNECT",
]);

export interface MetricSources {
  readonly entries: () => Iterable<RevisionEntry>;
  /** The value of the last periodic report. A-49. */
  readonly reported: (revision: RevisionKey) => number | undefined;
  /** `undefined` where there is no connection to have. A-99. */
  readonly connection: ReportConnection | undefined;
}

/** The connection reports go over. */
export interface ReportConnection {
  readonly isConnected: boolean;
  /** Established ones that were lost. */
  readonly errors: number;
}

/**
 * What the activator tells of itself, under the contract's names (A §3.6). What can be read off the state is read when
 * it is asked for, so that it cannot drift from it; series go with their revision.
 */
export class ActivatorMetrics {
  /** In the order of `timedPhases`. */
  readonly coldStart = timedPhases.map(() => new Histogram());
  readonly #durations = new Map<RevisionEntry, Map<string, Histogram>>();

  /** A request is over. `status` 0: its client left before there was one. */
  ended(
    entry: RevisionEntry,
    request: { readonly method: string; readonly status: number },
    seconds: number,
  ): void {
    if (entry.isGone) {
      this.#durations.delete(entry);
      return;
    }
    const method = METHODS.has(request.method) ? request.method : "_OTHER";
    const key = `${method} ${request.status === 0 ? 499 : request.status}`;
    let ofRevision = this.#durations.get(entry);
    if (ofRevision === undefined) {
      ofRevision = new Map();
      this.#durations.set(entry, ofRevision);
    }
    let histogram = ofRevision.get(key);
    if (histogram === undefined) {
      histogram = new Histogram();
      ofRevision.set(key, histogram);
    }
    histogram.observe(seconds);
  }

  text({ entries, reported, connection }: MetricSources): string {
    const all = [...entries()];
    const active = all.filter(
      ({ throttle, retrying }) => throttle.pods.inFlight + throttle.held + retrying.size > 0,
    );
    for (const entry of this.#durations.keys()) if (entry.isGone) this.#durations.delete(entry);
    const out = new Exposition();
    out.family(
      "kn_revision_request_concurrency",
      { type: "gauge", help: "Average requests of the last period, as told to the autoscaler." },
      all.flatMap((entry) => {
        const value = reported(entry.target.key);
        return value === undefined ? [] : [[fullLabels(entry), value] as const];
      }),
    );
    const counts = (of: (entry: RevisionEntry) => number) =>
      active.map((entry) => [shortLabels(entry), of(entry)] as const);
    out.family(
      "kn_revision_request_queued",
      { type: "gauge", help: "Requests that wait for a pod." },
      counts(({ throttle, retrying }) => throttle.held + retrying.size),
    );
    out.family(
      "kn_revision_request_active",
      { type: "gauge", help: "Requests that are at a pod." },
      counts(({ throttle }) => throttle.pods.inFlight),
    );
    if (connection !== undefined) {
      const peer = { peer: "autoscaler" };
      const reachable = { type: "gauge", help: "Whether the autoscaler is connected." } as const;
      out.family("kn_activator_stats_conn_reachable", reachable, [[peer, connection.isConnected ? 1 : 0]]);
      const errors = { type: "counter", help: "Connections to the autoscaler that were lost." } as const;
      out.family("kn_activator_stats_conn_errors_total", errors, [[peer, connection.errors]]);
    }
    out.histograms(
      "http_server_request_duration_seconds",
      "From a request's arrival to its end.",
      [...this.#durations].flatMap(([entry, ofRevision]) =>
        [...ofRevision].map(([key, histogram]) => {
          const [method = "", status = ""] = key.split(" ");
          const labels = { http_request_method: method, http_response_status_code: status };
          return [{ ...labels, ...fullLabels(entry) }, histogram] as const;
        }),
      ),
    );
    out.histograms(
      "rouse_activator_cold_start_seconds",
      "What requests that were held waited for.",
      this.coldStart.map((histogram, index) => [{ phase: timedPhases[index] ?? "" }, histogram] as const),
    );
    return out.toString();
  }
}

function shortLabels({ target: { namespace, name } }: RevisionEntry): Labels {
  return { k8s_namespace_name: namespace, kn_revision_name: name };
}

function fullLabels(entry: RevisionEntry): Labels {
  const { service, configuration } = entry.target;
  return { ...shortLabels(entry), kn_service_name: service, kn_configuration_name: configuration };
}
