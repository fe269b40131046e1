import {
  type Clock,
  type Exchange,
  type ExchangeObserver,
  type ExchangeOutcome,
  type Family,
  type Handler,
  Histogram,
  type Labels,
  type Layer,
  OLD_MS_BOUNDS,
  outcomeStatus,
  type Sample,
} from "@rouse/shared";
import type { QueueProxyContext } from "../accept/context.ts";
import { isProbe } from "../accept/is-probe.ts";
import { oldRouteTag, routeTag } from "./route-tag.ts";

type Measured = Exchange<QueueProxyContext>;

export interface OldMetricsOptions {
  readonly namespace: string;
  readonly service: string;
  readonly configuration: string;
  readonly revision: string;
  readonly podName: string;
  readonly queueDepth: () => number | undefined;
}

/** The metrics of releases up to 1.18, beside the current ones, for dashboards that have not moved. */
export class OldMetrics {
  readonly #clock: Clock;
  readonly #options: OldMetricsOptions;
  readonly #common: Labels;
  readonly #requests = new Histogram(OLD_MS_BOUNDS);
  readonly #appRequests = new Histogram(OLD_MS_BOUNDS);

  constructor(clock: Clock, options: OldMetricsOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#common = [
      ["namespace_name", options.namespace],
      ["service_name", options.service || "unknown"],
      ["configuration_name", options.configuration],
      ["revision_name", options.revision],
      ["pod_name", options.podName],
      ["container_name", "queue-proxy"],
    ];
  }

  /** In front of the deadlines, so that what they end is counted with its 504. */
  readonly server: Layer<QueueProxyContext> & ExchangeObserver<QueueProxyContext> = {
    handle: (exchange: Measured, next: Handler<QueueProxyContext>): void => {
      if (!isProbe(exchange.request)) exchange.observe(this.server);
      next(exchange);
    },
    ended: (exchange: Measured, outcome: ExchangeOutcome): void => {
      const status = outcomeStatus(exchange, outcome);
      const tag = oldRouteTag(routeTag(exchange.request));
      const series = this.#requests.series(`${status}\n${tag}`, () => [
        ...this.#common,
        ...codes(status),
        ["route_tag", tag],
      ]);
      this.#requests.observe(series, Math.floor(this.#clock.now() - exchange.receivedAt));
    },
  };

  /** Behind the breaker. */
  readonly app: Layer<QueueProxyContext> & ExchangeObserver<QueueProxyContext> = {
    handle: (exchange: Measured, next: Handler<QueueProxyContext>): void => {
      exchange.context.admittedAt ??= this.#clock.now();
      if (!isProbe(exchange.request)) exchange.observe(this.app);
      next(exchange);
    },
    ended: (exchange: Measured, outcome: ExchangeOutcome): void => {
      const { admittedAt } = exchange.context;
      if (admittedAt === undefined) return;
      const status = outcomeStatus(exchange, outcome);
      const series = this.#appRequests.series(String(status), () => [...this.#common, ...codes(status)]);
      this.#appRequests.observe(series, Math.floor(this.#clock.now() - admittedAt));
    },
  };

  families(): readonly Family[] {
    return [
      counter(
        "revision_request_count",
        "The number of requests that are routed to queue-proxy",
        this.#requests,
      ),
      latencies("revision_request_latencies", "The response time in millisecond", this.#requests),
      counter(
        "revision_app_request_count",
        "The number of requests that are routed to user-container",
        this.#appRequests,
      ),
      latencies("revision_app_request_latencies", "The response time in millisecond", this.#appRequests),
      {
        ...named("revision_queue_depth", "The current number of items in the serving and waiting queue"),
        kind: "gauge",
        read: (): readonly Sample[] => {
          const value = this.#options.queueDepth();
          return value === undefined ? [] : [{ labels: this.#common, value }];
        },
      },
    ];
  }
}

function counter(name: string, help: string, of: Histogram): Family {
  return {
    ...named(name, help),
    kind: "counter",
    read: () => [...of.all()].map(({ labels, count }) => ({ labels, value: count })),
  };
}

function latencies(name: string, help: string, histogram: Histogram): Family {
  return { ...named(name, help), kind: "histogram", histogram };
}

/** They were never OpenTelemetry's, so they have no name there. */
function named(prometheusName: string, help: string) {
  return { otelName: "", prometheusName, help, unit: "", scope: "" };
}

function codes(status: number): Labels {
  return [
    ["response_code", status],
    ["response_code_class", `${String(status)[0]}xx`],
  ];
}
