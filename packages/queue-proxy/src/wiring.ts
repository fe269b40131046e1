import {
  BreakerCore,
  type Clock,
  type Connections,
  chain,
  type DurationLimits,
  type ExceededLimit,
  type Exchange,
  formatDuration,
  LimitDuration,
  type Listener,
  type Logger,
  type Network,
  type Probe,
  type Random,
  type Stat,
  sockets,
  TimerWheel,
  unreachable,
} from "@rouse/shared";
import { AnswerProbes } from "./accept/answer-probes.ts";
import { QueueProxyContext } from "./accept/context.ts";
import { Drain } from "./drain/drain.ts";
import { SynthesiseForwarded } from "./forward/forwarded.ts";
import { RestoreHost } from "./forward/restore-host.ts";
import { LimitConcurrency, unlimitedConcurrency } from "./limit/limit-concurrency.ts";
import { Readiness } from "./probe/readiness.ts";
import { Account } from "./report/account.ts";
import { RequestStats } from "./report/request-stats.ts";
import { statOf } from "./report/stat-report.ts";

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
}

/** Waiting requests beside each running one. */
const QUEUE_DEPTH_PER_RUNNING = 10;
/** Idle connections to a program without a limit of its own. */
const IDLE_CONNECTIONS_MAX = 1_000;
const DRAIN_QUIET_MS = 200;
/** What is in flight when we are closed has this long, unless told. */
const CLOSE_GRACE_MS = 0;

/** The sidecar of one pod: every request of the pod passes it. */
export class QueueProxy implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #podName: string;
  readonly #server: Listener;
  readonly #parts: Parts;
  readonly #startedAtMs: number;
  #closing: Promise<void> | undefined;

  private constructor(clock: Clock, podName: string, server: Listener, parts: Parts) {
    this.#clock = clock;
    this.#podName = podName;
    this.#server = server;
    this.#parts = parts;
    this.#startedAtMs = clock.now();
  }

  /** Listens at once; that the program is not up yet is said by probe answers alone. Rejects if it cannot listen. */
  static async start(deps: QueueProxyDeps, options: QueueProxyOptions): Promise<QueueProxy> {
    const { clock, random, network = sockets } = deps;
    const { containerConcurrency } = options;
    const log = deps.log.with({ pod: options.podName });
    if (options.timeoutMs <= 0) log.warn("requests have no total time limit");
    const parts: Parts = {
      drain: new Drain(clock, { quietMs: options.drainQuietMs ?? DRAIN_QUIET_MS }),
      readiness: new Readiness({ clock, log }, options.userPort, options.readinessProbe),
      stats: new RequestStats(clock.now()),
      wheel: new TimerWheel(clock),
      program: network.connect(
        { clock, random },
        {
          ip: "127.0.0.1",
          port: options.userPort,
          idleMax: containerConcurrency > 0 ? containerConcurrency : IDLE_CONNECTIONS_MAX,
        },
      ),
    };
    const handler = chain(
      [
        new AnswerProbes<QueueProxyContext>(parts.readiness, parts.drain), // before anything counts them
        parts.drain,
        new LimitDuration<QueueProxyContext>(
          { clock, wheel: parts.wheel },
          {
            limitsOf: () => options,
            message: "request timeout",
            exceeded: (_, limit) => log.warn(timeoutText(limit, options)),
          },
        ),
        new SynthesiseForwarded<QueueProxyContext>(), // before the server adds its peer to X-Forwarded-For
        new Account(clock, parts.stats),
        new RestoreHost(),
        limitConcurrency(containerConcurrency),
      ],
      (exchange: Exchange<QueueProxyContext>) => exchange.forward(parts.program),
    );
    const server = await network.listen<QueueProxyContext>(
      { clock, handler, context: () => new QueueProxyContext(), log },
      { ip: options.ip, port: options.port },
    );
    return new QueueProxy(clock, options.podName, server, parts);
  }

  get address(): { readonly ip: string; readonly port: number } {
    return this.#server.address;
  }

  /** Requests inside, waiting ones and tunnels included; probes are not. */
  get inFlight(): number {
    return this.#parts.drain.inFlight;
  }

  /** Closes the current reporting period and returns it. */
  takeStat(): Stat {
    const now = this.#clock.now();
    return statOf(this.#parts.stats.report(now), {
      podName: this.#podName,
      uptimeMs: now - this.#startedAtMs,
    });
  }

  /** Asks the program until it is ready: `true`; or until `signal` aborts: `false`. An open port is noticed within 5 ms. */
  awaitReady(signal: AbortSignal): Promise<boolean> {
    return this.#parts.readiness.awaitReady(signal);
  }

  /** Asks the program as a health check does; checks that overlap share one run. */
  checkReady(): Promise<boolean> {
    return this.#parts.readiness.check();
  }

  /**
   * Answers probes with 503 from now on and goes on serving; resolves when no request has come for the quiet time, the
   * last one is over and nothing listens any more. May be called twice.
   */
  async drain(): Promise<void> {
    await this.#parts.drain.begin();
    await this.#server.drain();
    await this.#parts.drain.idle();
  }

  /** Stops, giving what is in flight up to `graceMs`. May be called twice. */
  close(graceMs = CLOSE_GRACE_MS): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(graceMs: number): Promise<void> {
    const { drain, readiness, wheel, program } = this.#parts;
    readiness[Symbol.dispose]();
    await this.#server.close(graceMs);
    drain[Symbol.dispose]();
    program.close();
    wheel.close();
  }
}

interface Parts {
  readonly drain: Drain<QueueProxyContext>;
  readonly readiness: Readiness;
  readonly stats: RequestStats;
  readonly wheel: TimerWheel;
  readonly program: Connections;
}

/** The words of the reference's log, for which people search. Q-56. */
function timeoutText(limit: ExceededLimit, limits: DurationLimits): string {
  switch (limit) {
    case "total":
      return `Request timeout: ${formatDuration(limits.timeoutMs)}`;
    case "response-start":
      return `Response start timeout: ${formatDuration(limits.responseStartTimeoutMs)}`;
    case "idle":
      return `Idle timeout: ${formatDuration(limits.idleTimeoutMs)}`;
    default:
      return unreachable(limit);
  }
}

function limitConcurrency(containerConcurrency: number) {
  if (containerConcurrency <= 0) return unlimitedConcurrency;
  const queueDepth = QUEUE_DEPTH_PER_RUNNING * containerConcurrency;
  const limits = { queueDepth, maxConcurrency: containerConcurrency };
  return new LimitConcurrency(new BreakerCore(limits, containerConcurrency));
}
