import {
  BreakerCore,
  type Clock,
  type Connections,
  chain,
  type Exchange,
  HttpServer,
  type Listener,
  type Network,
  type Stat,
  sockets,
  TimerWheel,
} from "@rouse/shared";
import { AnswerProbes } from "./accept/answer-probes.ts";
import { QueueProxyContext } from "./accept/context.ts";
import { Drain } from "./drain/drain.ts";
import { ForwardToProgram } from "./forward/forward-to-program.ts";
import { SynthesiseForwarded } from "./forward/forwarded.ts";
import { MarkNotStarted } from "./forward/mark-not-started.ts";
import { RestoreHost } from "./forward/restore-host.ts";
import { LimitConcurrency, unlimitedConcurrency } from "./limit/limit-concurrency.ts";
import { limitDuration } from "./limit/limit-duration.ts";
import { type Onlookers, type QueueProxyDeps, type QueueProxyOptions, readinessOf } from "./options.ts";
import { Readiness } from "./probe/readiness.ts";
import { Account } from "./report/account.ts";
import { RequestStats } from "./report/request-stats.ts";
import { statOf } from "./report/stat-report.ts";

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
        limitDuration({ clock, wheel: parts.wheel, log }, options),
        new SynthesiseForwarded<QueueProxyContext>(), // before the server adds its peer to X-Forwarded-For
        new Account(clock, parts.stats),
        new MarkNotStarted(),
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

  /** Closes the current reporting period and returns it; `periodMs` is how often that is done, where it is regular. */
  takeStat(period: { readonly periodMs?: number } = {}): Stat {
    const now = this.#clock.now();
    return statOf(this.#parts.stats.report(now), {
      podName: this.#podName,
      uptimeMs: now - this.#startedAtMs,
      ...period,
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
    await Promise.all([this.#server, ...this.#more].map((listener) => listener.drain()));
  }

  /** Asks the clients of WebSockets to go elsewhere: close code 1001. */
  closeTunnels(): void {
    for (const listener of [this.#server, ...this.#more]) {
      if (listener instanceof HttpServer) listener.closeTunnels();
    }
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
