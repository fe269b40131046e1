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
  type HistogramSeries,
  type Labels,
  type Layer,
  methodLabel,
  OLD_MS_BOUNDS,
  outcomeStatus,
  type RequestHead,
  SECONDS_BOUNDS,
  ToldHosts,
} from "@rouse/shared";
import type { ActivatorContext } from "../accept/context.ts";
import type { RevisionEntry } from "../resolve/revision-entry.ts";
import { fullLabels, oldLabels } from "./revision-labels.ts";

type Measured = Exchange<ActivatorContext>;

/** Hosts of one revision told apart. */
const HOSTS_MAX = 20;
const HTTP_SCOPE = "rouse.dev/activator";

export interface RequestMetricsOptions {
  readonly podName: string;
  /** Names and milliseconds of releases up to 1.18 as well. A-50 */
  readonly hasOldNames: boolean;
  /** Tells pods apart by their addresses, of which there is no end. A-49 */
  readonly hasPodAddresses: boolean;
}

/**
 * Durations and sizes of requests, under the contract's names (A §3.6): each from its arrival to its end, and from its
 * being sent to a pod to the pod's answer. They are kept by revision and go with it.
 */
export class RequestMetrics implements Layer<ActivatorContext>, ExchangeObserver<ActivatorContext> {
  readonly #clock: Clock;
  readonly #options: RequestMetricsOptions;
  /** Requests for revisions nobody knows are under `undefined`. */
  readonly #all = new Map<RevisionEntry | undefined, RevisionSeries>();

  constructor(clock: Clock, options: RequestMetricsOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  handle(exchange: Measured, next: Handler<ActivatorContext>): void {
    exchange.observe(this);
    next(exchange);
  }

  ended(exchange: Measured, outcome: ExchangeOutcome): void {
    const { revision } = exchange.context;
    if (revision?.isGone === true) {
      this.#all.delete(revision);
      return;
    }
    let series = this.#all.get(revision);
    if (series === undefined) {
      series = new RevisionSeries(revision, this.#options);
      this.#all.set(revision, series);
    }
    series.observe(exchange, outcomeStatus(exchange, outcome), this.#clock.now() - exchange.receivedAt);
  }

  families(): readonly Family[] {
    for (const entry of this.#all.keys()) if (entry?.isGone === true) this.#all.delete(entry);
    const families = [
      this.#histogram("http.server.request.duration", "s", "Duration of requests.", (of) => of.duration),
      this.#histogram("http.server.request.body.size", "By", "Sizes of bodies.", (of) => of.requestBytes),
      this.#histogram("http.server.response.body.size", "By", "Sizes of answers.", (of) => of.responseBytes),
      this.#histogram("http.client.request.duration", "s", "Until pods answered.", (of) => of.podDuration),
      this.#histogram("http.client.request.body.size", "By", "Sizes sent to pods.", (of) => of.podBytes),
    ];
    return this.#options.hasOldNames ? [...families, ...this.#oldFamilies()] : families;
  }

  #histogram(
    otelName: string,
    unit: "s" | "By",
    help: string,
    of: (series: RevisionSeries) => Histogram,
  ): Family {
    const bounds = unit === "s" ? SECONDS_BOUNDS : BYTES_BOUNDS;
    const suffix = unit === "s" ? "seconds" : "bytes";
    return {
      kind: "histogram",
      otelName,
      prometheusName: `${otelName.replaceAll(".", "_")}_${suffix}`,
      help,
      unit,
      scope: HTTP_SCOPE,
      histogram: { bounds, all: () => this.#series(of) },
    };
  }

  #oldFamilies(): readonly Family[] {
    const common = { otelName: "", unit: "", scope: "" };
    return [
      {
        ...common,
        kind: "counter",
        prometheusName: "activator_request_count",
        help: "The number of requests that are routed to Activator",
        read: () =>
          [...this.#series((of) => of.oldLatencies)].map(({ labels, count }) => ({ labels, value: count })),
      },
      {
        ...common,
        kind: "histogram",
        prometheusName: "activator_request_latencies",
        help: "The response time in millisecond",
        histogram: { bounds: OLD_MS_BOUNDS, all: () => this.#series((of) => of.oldLatencies) },
      },
    ];
  }

  *#series(of: (series: RevisionSeries) => Histogram): IterableIterator<HistogramSeries> {
    for (const series of this.#all.values()) yield* of(series).all();
  }
}

/** What was seen of one revision. */
class RevisionSeries {
  readonly duration = new Histogram(SECONDS_BOUNDS);
  readonly requestBytes = new Histogram(BYTES_BOUNDS);
  readonly responseBytes = new Histogram(BYTES_BOUNDS);
  readonly podDuration = new Histogram(SECONDS_BOUNDS);
  readonly podBytes = new Histogram(BYTES_BOUNDS);
  readonly oldLatencies = new Histogram(OLD_MS_BOUNDS);
  readonly #entry: RevisionEntry | undefined;
  readonly #options: RequestMetricsOptions;
  readonly #revision: Labels;
  readonly #hosts = new ToldHosts(HOSTS_MAX);

  constructor(entry: RevisionEntry | undefined, options: RequestMetricsOptions) {
    this.#entry = entry;
    this.#options = options;
    this.#revision = entry === undefined ? [] : fullLabels(entry);
  }

  observe(exchange: Measured, status: number, tookMs: number): void {
    const { request, client } = exchange;
    const host = this.#hosts.told(request.host);
    const key = `${methodLabel(request.method)}\n${client.isTls}\n${host}\n${request.version}\n${status}`;
    const labels = (): Labels => [
      ...this.#protocol(request, client.isTls),
      ...addressLabels(host, client.isTls),
      ["http.response.status_code", status],
      ...this.#revision,
    ];
    this.duration.observe(this.duration.series(key, labels), tookMs / 1_000);
    this.requestBytes.observe(this.requestBytes.series(key, labels), exchange.requestBodyBytes);
    this.responseBytes.observe(this.responseBytes.series(key, labels), exchange.responseBodyBytes);
    this.#observePod(exchange);
    if (this.#options.hasOldNames) this.#observeOld(status, tookMs);
  }

  /** One that never was at a pod is not counted; one whose pod never answered is, by what went wrong. */
  #observePod({ request, requestBodyBytes, context }: Measured): void {
    const { sentAt, podResult, podAddress, podTookMs } = context;
    if (sentAt === undefined || podResult === undefined) return;
    const address = this.#options.hasPodAddresses && podAddress !== undefined ? podAddress : "";
    const key = `${methodLabel(request.method)}\n${address}\n${request.version}\n${podResult}`;
    const isError = typeof podResult === "string";
    const labels = (): Labels => [
      ...this.#protocol(request, false),
      ...(address === "" ? [] : addressLabels(address, false)),
      [isError ? "error.type" : "http.response.status_code", podResult],
      ...this.#revision,
    ];
    this.podDuration.observe(this.podDuration.series(key, labels), podTookMs / 1_000);
    this.podBytes.observe(this.podBytes.series(key, labels), requestBodyBytes);
  }

  #observeOld(status: number, tookMs: number): void {
    if (this.#entry === undefined) return;
    const entry = this.#entry;
    const series = this.oldLatencies.series(String(status), () => [
      ...oldLabels(entry, this.#options.podName),
      ["response_code", status],
      ["response_code_class", `${String(status)[0]}xx`],
    ]);
    this.oldLatencies.observe(series, Math.floor(tookMs));
  }

  #protocol(request: RequestHead, isTls: boolean): Labels {
    return [
      ["http.request.method", methodLabel(request.method)],
      ["url.scheme", isTls ? "https" : "http"],
      ["network.protocol.name", "http"],
      ["network.protocol.version", request.version],
    ];
  }
}
