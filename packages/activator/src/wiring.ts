import {
  type Clock,
  chain,
  type Endpoint,
  endpointAddress,
  type KubeClient,
  LimitDuration,
  type Listener,
  type Logger,
  type Network,
  type Random,
  type RevisionKey,
  type StatSink,
  sockets,
  TimerWheel,
} from "@rouse/shared";
import { AnswerProbes } from "./accept/answer-probes.ts";
import { ActivatorContext } from "./accept/context.ts";
import { TakeReadyNotice } from "./accept/take-ready-notice.ts";
import { forwardThroughMesh, forwardToPod } from "./forward/forward-to-pod.ts";
import { MarkProxied } from "./forward/mark-proxied.ts";
import { ActivatorMetrics, type ReportConnection } from "./metrics/activator-metrics.ts";
import type { AskPod } from "./probe/ask-pod.ts";
import type { ProbePace } from "./probe/pod-prober.ts";
import { Account } from "./report/account.ts";
import { ConcurrencyReport } from "./report/concurrency-report.ts";
import { EarlyReport } from "./report/early-report.ts";
import { type ColdStarts, TimeColdStart } from "./report/time-cold-start.ts";
import type { RevisionEntry } from "./resolve/revision-entry.ts";
import { ResolveRevision } from "./resolve/resolve-revision.ts";
import type { MeshAccess } from "./settings/network-settings.ts";
import { Throttle } from "./throttle/throttle.ts";
import type { RevisionOrigin } from "./watch/revision-source.ts";
import { RevisionWatch } from "./watch/revision-watch.ts";

export interface ActivatorDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Where reports go; the poke of a first request is sent to it in the same turn of the event loop. */
  readonly stats: StatSink;
  readonly log: Logger;
  /** Sockets unless given. */
  readonly network?: Network;
  /** Asks a pod whether it is ready; over a socket unless given. */
  readonly askPod?: AskPod;
  /** The connection reports go over, where there is one: without it the activator is not ready.. */
  readonly connection?: ReportConnection;
  /** How pods started, where that is known: what requests waited for is told by it. */
  readonly coldStarts?: ColdStarts;
}

export interface ActivatorOptions {
  readonly ip: string;
  /** 0 lets the system choose; `address` says what it chose. */
  readonly port: number;
  /** A second port with the same service, which Endpoints of h2c revisions list. None unless told. */
  readonly h2cPort?: number;
  /** Our name in reports. */
  readonly podName: string;
  /** Our address in public Endpoints. */
  readonly podIp: string;
  /** `cluster.local` unless told. */
  readonly clusterDomain?: string;
  /** Idle connections kept to each pod; 100 unless told. */
  readonly idleConnectionsMax?: number;
  /** How pods that are listed as not ready are asked. */
  readonly probing?: ProbePace;
  /** What stands between us and pods; nothing unless told. A-8. */
  readonly mesh?: MeshAccess;
  /** Whether pods may be watched, to tell those who wait why there is none. Default: yes. */
  readonly watchesPods?: boolean;
  /** Whose objects say which revisions there are; Knative's own unless told. */
  readonly revisionOrigin?: RevisionOrigin;
}

/** What the activator has to do with one revision now. */
export interface RevisionSnapshot {
  readonly revision: RevisionKey;
  /** Requests that wait for a pod. */
  readonly held: number;
  /** Requests that run on one. */
  readonly inFlight: number;
  /** Usable pods, all activators' shares together. */
  readonly pods: number;
  /** Requests that may run at one time; infinite where nothing limits them. */
  readonly capacity: number;
}

/** Reports are cut as often as the autoscaler's buckets. A-87. */
const REPORT_PERIOD_MS = 1_000;
/** A pod that does not answer within about a second is tried elsewhere; the reference keeps at it for 20. A-102. */
const DIAL_RETRIES_MAX = 5;

/** */
const IDLE_CONNECTIONS_MAX = 100;

/** Holds requests for revisions without pods, has them started, and shares requests out among the pods there are. */
export class Activator implements AsyncDisposable {
  readonly #listeners: readonly [Listener, ...Listener[]];
  readonly #parts: Parts;
  #closing: Promise<void> | undefined;

  private constructor(listeners: readonly [Listener, ...Listener[]], parts: Parts) {
    this.#listeners = listeners;
    this.#parts = parts;
  }

  /** Resolves when all revisions are known and it listens. Rejects if it cannot listen. */
  static async start(deps: ActivatorDeps, options: ActivatorOptions): Promise<Activator> {
    const {
      client,
      clock,
      random,
      stats,
      log,
      network = sockets,
      askPod,
      coldStarts = unknownStart,
      connection,
    } = deps;
    const watch = new RevisionWatch(
      { client, clock, random },
      {
        podIp: options.podIp,
        isMesh: options.mesh === "service",
        watchesPods: options.watchesPods ?? true,
        revisionOrigin: options.revisionOrigin ?? "revisions",
        ...(options.probing === undefined ? {} : { probing: options.probing }),
        ...(askPod === undefined ? {} : { ask: askPod }),
        connect: (endpoint: Endpoint) =>
          network.connect(
            { clock, random },
            {
              ...endpointAddress(endpoint),
              dialRetriesMax: DIAL_RETRIES_MAX,
              idleMax: options.idleConnectionsMax ?? IDLE_CONNECTIONS_MAX,
            },
          ),
      },
    );
    const report = new ConcurrencyReport(options.podName);
    const metrics = new ActivatorMetrics();
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
        new TakeReadyNotice((revision, pod) => watch.podReady(revision, pod)),
        new ResolveRevision(watch, options.clusterDomain ?? "cluster.local"),
        new Account({ clock, report, stats, metrics }), // pokes the autoscaler before anything else is done
        new LimitDuration<ActivatorContext>(
          { clock, wheel: parts.wheel },
          {
            limitsOf: ({ context: { revision } }) => revision?.target ?? NO_LIMITS,
            message: "activator request timeout",
          },
        ),
        new MarkProxied(),
        throttle,
        new TimeColdStart({ clock, coldStarts, histograms: metrics.coldStart }),
      ],
      options.mesh === "passthrough"
        ? forwardThroughMesh(throttle, ({ revision }) => revision?.target.privateService ?? "")
        : forwardToPod(throttle),
    );
    using starting = new DisposableStack();
    starting.use(watch);
    await watch.start(throttle); // first, so that no revision is unknown only because it is early
    const listen = (port: number): Promise<Listener> =>
      network.listen<ActivatorContext>(
        { clock, handler, context: () => new ActivatorContext(), log },
        { ip: options.ip, port },
      );
    const listeners: [Listener, ...Listener[]] = [await listen(options.port)];
    if (options.h2cPort !== undefined) {
      try {
        listeners.push(await listen(options.h2cPort));
      } catch (error) {
        await listeners[0].close();
        throw error;
      }
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
    return this.#listeners[0].address;
  }

  /** The port of h2c revisions, if there is one. */
  get h2cPort(): number | undefined {
    return this.#listeners[1]?.address.port;
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

  /** Its metrics as Prometheus text. */
  metrics(): string {
    const { metrics, watch, report, connection } = this.#parts;
    return metrics.text({
      entries: () => watch.entries(),
      reported: (revision) => report.reported(revision),
      connection,
    });
  }

  /** From now on it says that it is going, and serves all the same. A-127. */
  leave(): void {
    this.#parts.isClosing = true;
  }

  /** Takes no more connections, and waits until everything held and in flight has ended, streams too. A-128. */
  async drain(): Promise<void> {
    this.leave();
    await Promise.all(this.#listeners.map((listener) => listener.drain()));
  }

  /** Stops, giving what is held and in flight up to `graceMs`. May be called twice. */
  close(graceMs = 0): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(graceMs: number): Promise<void> {
    const { watch, early, wheel } = this.#parts;
    this.#parts.isClosing = true;
    await Promise.all(this.#listeners.map((listener) => listener.close(graceMs)));
    this.#parts.ticker?.[Symbol.dispose]();
    early[Symbol.dispose]();
    wheel.close();
    watch[Symbol.dispose]();
  }
}

const unknownStart: ColdStarts = () => undefined;
const NO_LIMITS = { timeoutMs: 0, responseStartTimeoutMs: 0, idleTimeoutMs: 0 };

interface Parts {
  readonly watch: RevisionWatch;
  readonly early: EarlyReport;
  readonly report: ConcurrencyReport;
  readonly metrics: ActivatorMetrics;
  readonly connection: ReportConnection | undefined;
  readonly wheel: TimerWheel;
  ticker: Disposable | undefined;
  isClosing: boolean;
}

function snapshotOf({ target, retrying, throttle: { pods, held } }: RevisionEntry): RevisionSnapshot {
  return {
    revision: target.key,
    held: held + retrying.size,
    inFlight: pods.inFlight,
    pods: pods.usableCount,
    capacity: pods.capacity,
  };
}
