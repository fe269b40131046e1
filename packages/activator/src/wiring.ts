import {
  chain,
  type Endpoint,
  type Family,
  HttpServer,
  LimitDuration,
  type Listener,
  type Network,
  type RevisionKey,
  sockets,
  TimerWheel,
} from "@rouse/shared";
import { AnswerProbes } from "./accept/answer-probes.ts";
import { ActivatorContext } from "./accept/context.ts";
import { TakeReadyNotice } from "./accept/take-ready-notice.ts";
import { connectionTo, type EndpointOwner } from "./forward/connect-to-pod.ts";
import { forwardThroughMesh, forwardToPod } from "./forward/forward-to-pod.ts";
import { MarkProxied } from "./forward/mark-proxied.ts";
import { ActivatorMetrics, type ReportConnection } from "./metrics/activator-metrics.ts";
import type { RequestMetrics } from "./metrics/request-metrics.ts";
import type { ActivatorDeps, ActivatorOptions } from "./options.ts";
import type { AskPod } from "./probe/ask-pod.ts";
import { Account } from "./report/account.ts";
import { ConcurrencyReport } from "./report/concurrency-report.ts";
import { EarlyReport } from "./report/early-report.ts";
import { type ColdStarts, TimeColdStart } from "./report/time-cold-start.ts";
import { ResolveRevision } from "./resolve/resolve-revision.ts";
import { type RevisionSnapshot, snapshotOf } from "./snapshot.ts";
import { Throttle } from "./throttle/throttle.ts";
import { TraceAttempt, TraceRequests, TraceTry } from "./trace/trace-requests.ts";
import { RevisionWatch } from "./watch/revision-watch.ts";

/** Reports are cut as often as the autoscaler's buckets. A-87. */
const REPORT_PERIOD_MS = 1_000;
/** A pod that does not answer within about a second is tried elsewhere; the reference keeps at it for 20. A-102. */
const DIAL_RETRIES_MAX = 5;

/** */
const IDLE_CONNECTIONS_MAX = 100;

/** Holds requests for revisions without pods, has them started, and shares requests out among the pods there are. */
export class Activator implements AsyncDisposable {
  readonly #listeners: Listeners;
  readonly #parts: Parts;
  #closing: Promise<void> | undefined;

  private constructor(listeners: Listeners, parts: Parts) {
    this.#listeners = listeners;
    this.#parts = parts;
  }

  /** Resolves when all revisions are known and it listens. Rejects if it cannot listen. */
  static async start(deps: ActivatorDeps, options: ActivatorOptions): Promise<Activator> {
    const { client, clock, random, stats, log, network = sockets, coldStarts = unknownStart } = deps;
    const { connection, certificates, onlookers = {} } = deps;
    const watch = new RevisionWatch(
      { client, clock, random },
      {
        podIp: options.podIp,
        mesh: options.mesh ?? "none",
        watchesPods: options.watchesPods ?? true,
        revisionOrigin: options.revisionOrigin ?? "revisions",
        endpointsSource: options.endpointsSource ?? { kind: "endpoints" },
        ...(options.probing === undefined ? {} : { probing: options.probing }),
        ...(deps.askPod === undefined ? {} : { ask: answersOf(deps.askPod) }),
        connect: (endpoint: Endpoint, owner: EndpointOwner) =>
          network.connect(
            { clock, random },
            {
              ...connectionTo(endpoint, owner, certificates, options.securePodPort),
              dialRetriesMax: DIAL_RETRIES_MAX,
              idleMax: options.idleConnectionsMax ?? IDLE_CONNECTIONS_MAX,
            },
          ),
      },
    );
    const report = new ConcurrencyReport(options.podName);
    const metrics = new ActivatorMetrics({
      podName: options.podName,
      hasOldNames: options.hasOldNames ?? false,
    });
    const early = new EarlyReport({ clock, report, stats });
    const throttle = new Throttle({
      clock,
      log,
      missing: (entry) => watch.missing(entry),
      heldGrew: (entry) => early.heldGrew(entry),
    });
    const parts: Parts = {
      watch,
      early,
      report,
      metrics,
      requestMetrics: onlookers.requestMetrics,
      connection,
      wheel: new TimerWheel(clock),
      ticker: undefined,
      isClosing: false,
    };
    const handler = chain<ActivatorContext>(
      [
        new AnswerProbes({
          get unhealthyBecause() {
            if (parts.isClosing) return "received SIGTERM from kubelet";
            return connection?.isConnected === false ? "connection has not yet been established" : undefined;
          },
        }),
        new TakeReadyNotice((revision, pod) => watch.podClaims(revision, pod)),
        ...(onlookers.tracing === undefined ? [] : [new TraceRequests(onlookers.tracing)]),
        ...(onlookers.requestMetrics === undefined ? [] : [onlookers.requestMetrics]),
        new ResolveRevision(watch, options.clusterDomain ?? "cluster.local"),
        ...(onlookers.requestLog === undefined ? [] : [onlookers.requestLog]),
        new Account({ clock, report, stats }), // pokes the autoscaler before anything else is done
        new LimitDuration<ActivatorContext>(
          { clock, wheel: parts.wheel },
          {
            limitsOf: ({ context: { revision } }) => revision?.target ?? NO_LIMITS,
            message: "activator request timeout",
          },
        ),
        new MarkProxied(),
        ...(onlookers.tracing === undefined ? [] : [new TraceTry()]),
        throttle,
        ...(onlookers.tracing === undefined ? [] : [new TraceAttempt()]),
        new TimeColdStart({ clock, coldStarts, coldStarted: (tookMs) => metrics.coldStarted(tookMs) }),
      ],
      options.mesh === "passthrough"
        ? forwardThroughMesh(throttle, ({ revision }) => revision?.target.privateService ?? "")
        : forwardToPod(throttle),
    );
    await using starting = new AsyncDisposableStack();
    starting.use(watch);
    await watch.start(throttle); // first, so that no revision is unknown only because it is early
    const listen = async (at: ListenOptions): Promise<Listener> =>
      starting.use(
        await network.listen<ActivatorContext>(
          { clock, handler, context: () => new ActivatorContext(), log },
          at,
        ),
      );
    const { ip } = options;
    const listeners: Listeners = {
      http: await listen({ ip, port: options.port }),
      h2c: options.h2cPort === undefined ? undefined : await listen({ ip, port: options.h2cPort }),
      https: undefined,
    };
    if (certificates !== undefined && options.secure !== undefined) {
      const { port, settings } = options.secure;
      const { certificate } = certificates;
      const https = await listen({ ip, port, certificate, tlsSettings: settings });
      certificates.follow((next) => {
        if (https instanceof HttpServer) https.setCertificate(next);
      });
      listeners.https = https;
    }
    starting.move();
    const tick = (): void => {
      parts.ticker = clock.after(REPORT_PERIOD_MS, tick);
      const now = clock.now();
      const batch = report.cut(now);
      if (batch.length > 0) stats.send(batch, "period");
      watch.tick(now);
    };
    parts.ticker = clock.after(REPORT_PERIOD_MS, tick);
    return new Activator(listeners, parts);
  }

  get address(): { readonly ip: string; readonly port: number } {
    return this.#listeners.http.address;
  }

  /** The port of h2c revisions, if there is one. */
  get h2cPort(): number | undefined {
    return this.#listeners.h2c?.address.port;
  }

  /** The port that speaks TLS, if there is one. */
  get httpsPort(): number | undefined {
    return this.#listeners.https?.address.port;
  }

  /** Somebody who asked the pod says that it is ready: it is used at once, before the watch says so. */
  podReady(revision: RevisionKey, endpoint: Endpoint): void {
    this.#parts.watch.podReady(revision, endpoint);
  }

  /** Every revision there is, and what there is to do with it. */
  snapshot(): readonly RevisionSnapshot[] {
    return [...this.#parts.watch.entries()].map(snapshotOf);
  }

  /** The same of one revision; `undefined` for one nobody knows. */
  snapshotOf(revision: RevisionKey): RevisionSnapshot | undefined {
    const entry = this.#parts.watch.get(revision);
    return entry === undefined ? undefined : snapshotOf(entry);
  }

  /** What there is to know about it and, where they are measured, about requests. */
  metrics(): readonly Family[] {
    const { metrics, requestMetrics, watch, report, connection } = this.#parts;
    const state = metrics.families({
      entries: () => watch.entries(),
      reported: (revision) => report.reported(revision),
      connection,
    });
    return [...state, ...(requestMetrics?.families() ?? [])];
  }

  /** From now on it says that it is going, and serves all the same. A-127. */
  leave(): void {
    this.#parts.isClosing = true;
  }

  /** Takes no more connections, and waits until everything held and in flight has ended, streams too. A-128. */
  async drain(options: Parameters<Listener["drain"]>[0] = {}): Promise<void> {
    this.leave();
    await Promise.all(this.#all.map((listener) => listener.drain(options)));
  }

  /** Stops, giving what is held and in flight up to `graceMs`. May be called twice. */
  close(graceMs = 0): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #all(): readonly Listener[] {
    return Object.values(this.#listeners).filter((listener) => listener !== undefined);
  }

  async #close(graceMs: number): Promise<void> {
    const { watch, early, wheel } = this.#parts;
    this.#parts.isClosing = true;
    await Promise.all(this.#all.map((listener) => listener.close(graceMs)));
    this.#parts.ticker?.[Symbol.dispose]();
    early[Symbol.dispose]();
    wheel.close();
    watch[Symbol.dispose]();
  }
}

const unknownStart: ColdStarts = () => undefined;
const NO_LIMITS = { timeoutMs: 0, responseStartTimeoutMs: 0, idleTimeoutMs: 0 };

type ListenOptions = Parameters<Network["listen"]>[1];

interface Listeners {
  readonly http: Listener;
  readonly h2c: Listener | undefined;
  https: Listener | undefined;
}

/** A plain yes or no says nothing about a mesh. */
function answersOf(isReady: NonNullable<ActivatorDeps["askPod"]>): AskPod {
  return async (pod, options) => ((await isReady(pod, options)) ? "ready" : "unreachable");
}

interface Parts {
  readonly watch: RevisionWatch;
  readonly early: EarlyReport;
  readonly report: ConcurrencyReport;
  readonly metrics: ActivatorMetrics;
  readonly requestMetrics: RequestMetrics | undefined;
  readonly connection: ReportConnection | undefined;
  readonly wheel: TimerWheel;
  ticker: Disposable | undefined;
  isClosing: boolean;
}
