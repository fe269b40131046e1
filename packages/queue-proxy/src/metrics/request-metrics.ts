import {
  addressLabels,
  BYTES_BOUNDS,
  type Clock,
  type Exchange,
  type ExchangeObserver,
  type ExchangeOutcome,
  type Family,
  type Handler,
  Histogram,
  type Labels,
  type Layer,
  methodLabel,
  outcomeStatus,
  SECONDS_BOUNDS,
  ToldHosts,
} from "@rouse/shared";
import type { QueueProxyContext } from "../accept/context.ts";
import { isProbe } from "../accept/is-probe.ts";
import { routeTag } from "./route-tag.ts";

type Measured = Exchange<QueueProxyContext>;

/** The reference's, for its own metrics; of HTTP ours differ, as they are not made by its library. Q-135 */
const SERVING_SCOPE = "knative.dev/serving/pkg/queue";
const HTTP_SCOPE = "rouse.dev/queue-proxy";
/** Hosts told apart (E-16). */
const HOSTS_MAX = 100;

/** The metrics of §9.4, as layers of the chain that note them and families that show them. */
export class RequestMetrics {
  readonly #clock: Clock;
  readonly #userPort: number;
  readonly #queueDepth: () => number | undefined;
  readonly #hosts = new ToldHosts(HOSTS_MAX);
  readonly #invocation = new Histogram(SECONDS_BOUNDS);
  readonly #serverDuration = new Histogram(SECONDS_BOUNDS);
  readonly #serverRequest = new Histogram(BYTES_BOUNDS);
  readonly #serverResponse = new Histogram(BYTES_BOUNDS);
  readonly #clientDuration = new Histogram(SECONDS_BOUNDS);
  readonly #clientRequest = new Histogram(BYTES_BOUNDS);

  /** @param options.queueDepth asked when somebody looks, so that it returns to 0 (E-5); `undefined` without a breaker */
  constructor(
    clock: Clock,
    options: { readonly userPort: number; readonly queueDepth: () => number | undefined },
  ) {
    this.#clock = clock;
    this.#userPort = options.userPort;
    this.#queueDepth = options.queueDepth;
  }

  /** In front of all: the whole request, its wait included. Aborted answers are not recorded. */
  readonly server: Layer<QueueProxyContext> & ExchangeObserver<QueueProxyContext> = {
    handle: (exchange: Measured, next: Handler<QueueProxyContext>): void => {
      if (!isProbe(exchange.request)) exchange.observe(this.server);
      next(exchange);
    },
    ended: (exchange: Measured, outcome: ExchangeOutcome): void => {
      if (outcome.kind === "aborted" && exchange.status !== 101) return;
      const status = outcomeStatus(exchange, outcome);
      const { request, client } = exchange;
      const tag = routeTag(request);
      const method = methodLabel(request.method);
      const host = this.#hosts.told(request.host);
      const key = `${tag}\n${method}\n${client.isTls}\n${host}\n${request.version}\n${status}`;
      const labels = (): Labels => [
        ["kn.route.tag", tag],
        ["http.request.method", method],
        ["url.scheme", client.isTls ? "https" : "http"],
        ...addressLabels(host, client.isTls),
        ["network.protocol.name", "http"],
        ["network.protocol.version", request.version],
        ["http.response.status_code", status],
      ];
      const seconds = (this.#clock.now() - exchange.receivedAt) / 1_000;
      this.#serverDuration.observe(this.#serverDuration.series(key, labels), seconds);
      this.#serverRequest.observe(this.#serverRequest.series(key, labels), exchange.requestBodyBytes);
      this.#serverResponse.observe(this.#serverResponse.series(key, labels), exchange.responseBodyBytes);
    },
  };

  /** Behind the breaker: from admission to the end, and to the program's answer. */
  readonly invocation: Layer<QueueProxyContext> & ExchangeObserver<QueueProxyContext> = {
    handle: (exchange: Measured, next: Handler<QueueProxyContext>): void => {
      exchange.context.admittedAt = this.#clock.now();
      exchange.observe(this.invocation);
      next(exchange);
    },
    responseStarted: (exchange: Measured, status: number): void => {
      const { admittedAt, upstreamError } = exchange.context;
      if (upstreamError !== undefined || admittedAt === undefined || (status < 200 && status !== 101)) return;
      this.#client(exchange, ["http.response.status_code", status]);
    },
    ended: (exchange: Measured, outcome: ExchangeOutcome): void => {
      const { admittedAt, upstreamError } = exchange.context;
      if (upstreamError !== undefined) this.#client(exchange, ["error.type", upstreamError.code]);
      if (admittedAt === undefined || isProbe(exchange.request)) return;
      const status = outcomeStatus(exchange, outcome);
      const series = this.#invocation.series(String(status), () => [["http.response.status_code", status]]);
      this.#invocation.observe(series, (this.#clock.now() - admittedAt) / 1_000);
    },
  };

  families(): readonly Family[] {
    const seconds = { kind: "histogram", unit: "s" } as const;
    const bytes = { kind: "histogram", unit: "By" } as const;
    return [
      {
        ...seconds,
        ...named("kn.serving.invocation.duration", "seconds", SERVING_SCOPE),
        help: "The duration of task execution.",
        histogram: this.#invocation,
      },
      {
        kind: "gauge",
        unit: "{request}",
        ...named("kn.serving.queue.depth", "", SERVING_SCOPE),
        help: "Number of current items in the queue proxy queue.",
        read: () => {
          const value = this.#queueDepth();
          return value === undefined ? [] : [{ labels: [], value }];
        },
      },
      {
        ...seconds,
        ...named("http.server.request.duration", "seconds", HTTP_SCOPE),
        help: "Duration of HTTP server requests.",
        histogram: this.#serverDuration,
      },
      {
        ...bytes,
        ...named("http.server.request.body.size", "bytes", HTTP_SCOPE),
        help: "Size of HTTP server request bodies.",
        histogram: this.#serverRequest,
      },
      {
        ...bytes,
        ...named("http.server.response.body.size", "bytes", HTTP_SCOPE),
        help: "Size of HTTP server response bodies.",
        histogram: this.#serverResponse,
      },
      {
        ...seconds,
        ...named("http.client.request.duration", "seconds", HTTP_SCOPE),
        help: "Duration of HTTP client requests.",
        histogram: this.#clientDuration,
      },
      {
        ...bytes,
        ...named("http.client.request.body.size", "bytes", HTTP_SCOPE),
        help: "Size of HTTP client request bodies.",
        histogram: this.#clientRequest,
      },
    ];
  }

  #client(exchange: Measured, result: readonly [name: string, value: string | number]): void {
    const { request, context } = exchange;
    if (context.admittedAt === undefined || isProbe(request)) return;
    const tag = routeTag(request);
    const method = methodLabel(request.method);
    const key = `${tag}\n${method}\n${request.version}\n${result[1]}`;
    const labels = (): Labels => [
      ["kn.route.tag", tag],
      ["http.request.method", method],
      ["url.scheme", "http"],
      ["server.address", "127.0.0.1"],
      ["server.port", this.#userPort],
      ["network.protocol.name", "http"],
      ["network.protocol.version", request.version === "2.0" ? "2.0" : "1.1"],
      result,
    ];
    const seconds = (this.#clock.now() - context.admittedAt) / 1_000;
    this.#clientDuration.observe(this.#clientDuration.series(key, labels), seconds);
    this.#clientRequest.observe(this.#clientRequest.series(key, labels), exchange.requestBodyBytes);
  }
}

function named(otelName: string, suffix: string, scope: string) {
  const name = otelName.replaceAll(".", "_");
  return { otelName, prometheusName: suffix === "" ? name : `${name}_${suffix}`, scope };
}
