import {
  BreakerCore,
  type Clock,
  type Connections,
  chain,
  type DurationLimits,
  type ExceededLimit,
  type Exchange,
  formatDuration,
  type Layer,
  LimitDuration,
  type Listener,
  type Logger,
  type Network,
  type Probe,
  ProxyError,
  type Random,
  type Stat,
  sockets,
  TimerWheel,
  unreachable,
} from "@rouse/shared";
import { AnswerProbes } from "./accept/answer-probes.ts";
import { QueueProxyContext } from "./accept/context.ts";
import { Drain } from "./drain/drain.ts";
import { ForwardToProgram } from "./forward/forward-to-program.ts";
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
  readonly #listen: Listening["listen"];
  readonly #more: Listener[] = [];
  readonly #parts: Parts;
  readonly #startedAtMs: number;
  #closing: Promise<void> | undefined;

  private constructor(clock: Clock, podName: string, { listen, server }: Listening, parts: Parts) {
    this.#clock = clock;
    this.#podName = podName;
    this.#server = server;
    this.#listen = listen;
    this.#parts = parts;
    this.#startedAtMs = clock.now();
  }

  /** Listens at once; that the program is not up yet is said by probe answers alone. Rejects if it cannot listen. */
  static async start(deps: QueueProxyDeps, options: QueueProxyOptions): Promise<QueueProxy> {
    const { clock, random, network = sockets } = deps;
    const { containerConcurrency } = options;
    const log = deps.log.with({ pod: options.podName });
    if (options.timeoutMs <= 0) log.warn("requests have no total time limit");
    const connect = (ip: string): Connections =>
      network.connect(
        { clock, random },
        {
          ip,
          port: options.userPort,
          idleMax: containerConcurrency > 0 ? containerConcurrency : IDLE_CONNECTIONS_MAX,
        },
      );
    const parts: Parts = {
      drain: new Drain(clock, {
        quietMs: options.drainQuietMs ?? DRAIN_QUIET_MS,
        limitMs: options.drainLimitMs ?? Number.POSITIVE_INFINITY,
      }),
      readiness: new Readiness({ clock, log }, readinessOf(options)),
      stats: new RequestStats(clock.now()),
      wheel: new TimerWheel(clock),
      breaker:
        containerConcurrency > 0
          ? new BreakerCore(
              {
                queueDepth: QUEUE_DEPTH_PER_RUNNING * containerConcurrency,
                maxConcurrency: containerConcurrency,
              },
              containerConcurrency,
            )
          : undefined,
      program: connect("127.0.0.1"),
      programIpv6: undefined,
    };
    const { outermost, waiting, admitted, failed } = options.onlookers ?? NO_ONLOOKERS;
    const last = new ForwardToProgram(
      {
        ipv4: parts.program,
        ipv6: () => {
          parts.programIpv6 ??= connect("::1");
          return parts.programIpv6;
        },
      },
      failed,
    );
    const handler = chain(
      [
        ...outermost,
        new AnswerProbes<QueueProxyContext>(parts.readiness, parts.drain), // before anything counts them
        parts.drain,
        new LimitDuration<QueueProxyContext>(
          { clock, wheel: parts.wheel },
          {
            limitsOf: () => options,
            message: "request timeout",
            exceeded: (exchange, limit) => {
              const { context, state } = exchange;
              if (context instanceof QueueProxyContext && state === "forwarding") {
                context.upstreamError = new ProxyError("request-timeout", "request timeout");
              }
              log.warn(timeoutText(limit, options));
            },
          },
        ),
        new SynthesiseForwarded<QueueProxyContext>(), // before the server adds its peer to X-Forwarded-For
        new Account(clock, parts.stats),
        new RestoreHost(),
        ...waiting,
        parts.breaker === undefined ? unlimitedConcurrency : new LimitConcurrency(parts.breaker),
        ...admitted,
      ],
      (exchange: Exchange<QueueProxyContext>) => last.forward(exchange),
    );
    const listen = (at: ListenOptions): Promise<Listener> =>
      network.listen<QueueProxyContext>({ clock, handler, context: () => new QueueProxyContext(), log }, at);
    const server = await listen({ ip: options.ip, port: options.port });
    return new QueueProxy(clock, options.podName, { listen, server }, parts);
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

  /** Running and waiting with the breaker; `undefined` without one. */
  get queueDepth(): number | undefined {
    const { breaker } = this.#parts;
    return breaker === undefined ? undefined : breaker.running + breaker.queued;
  }

  /** The same requests on one more port. Its life ends with ours. */
  async listen(at: ListenOptions): Promise<Listener> {
    const listener = await this.#listen(at);
    this.#more.push(listener);
    return listener;
  }

  /** Knows when traffic has moved away, and answers for it. */
  get quiet(): Pick<Drain<QueueProxyContext>, "begin" | "finish" | "reset" | "idle" | "restMs"> {
    return this.#parts.drain;
  }

  /** Stops accepting, closes idle connections, and resolves when the last exchange of a connection is over. */
  async stopAccepting(): Promise<void> {
    await this.#server.drain();
    await Promise.all(this.#more.map((listener) => listener.drain()));
  }

  /**
   * Answers probes with 503 from now on and goes on serving; resolves when no request has come for the quiet time, the
   * last one is over and nothing listens any more. May be called twice.
   */
  async drain(): Promise<void> {
    await this.#parts.drain.begin();
    await this.stopAccepting();
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
    const { drain, readiness, wheel, program, programIpv6 } = this.#parts;
    readiness[Symbol.dispose]();
    await Promise.all([this.#server, ...this.#more].map((listener) => listener.close(graceMs)));
    drain[Symbol.dispose]();
    program.close();
    programIpv6?.close();
    wheel.close();
  }
}

interface Parts {
  readonly drain: Drain<QueueProxyContext>;
  readonly readiness: Readiness;
  readonly stats: RequestStats;
  readonly wheel: TimerWheel;
  readonly program: Connections;
  programIpv6: Connections | undefined;
  /** `undefined` = unlimited. Q-42 */
  readonly breaker: BreakerCore | undefined;
}

type ListenOptions = Parameters<Network["listen"]>[1];

interface Listening {
  readonly listen: (at: ListenOptions) => Promise<Listener>;
  readonly server: Listener;
}

const NO_ONLOOKERS: Onlookers = { outermost: [], waiting: [], admitted: [], failed: () => {} };

/** A home's one probe may be of any kind and none; what it does not say is an open port. */
function readinessOf({ userPort, readinessProbe, readinessProbes, detectsHttp2 = false }: QueueProxyOptions) {
  if (readinessProbes !== undefined) return { userPort, probes: readinessProbes, detectsHttp2 };
  const isAskable =
    readinessProbe === undefined || readinessProbe.httpGet !== undefined || readinessProbe.grpc !== undefined;
  return {
    userPort,
    probes: [isAskable ? readinessProbe : { tcpSocket: {}, ...readinessProbe }],
    detectsHttp2,
  };
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
