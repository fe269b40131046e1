import { readFileSync } from "node:fs";
import {
  type Clock,
  type Logger,
  needsOpenTelemetry,
  ports,
  processMetrics,
  type Random,
  startPrometheusListener,
  type Telemetry,
  type TelemetryOptions,
  targetInfo,
} from "@rouse/shared";
import { ConfigError } from "../config/config-error.ts";
import type { Config, Environment } from "../config.ts";
import { startAdmin } from "../listen/admin.ts";
import { startProfiling } from "../listen/profiling.ts";
import type { SideListener } from "../listen/side-listener.ts";
import { startStatEndpoint } from "../listen/stat-endpoint.ts";
import { resourceOf } from "../metrics/resource.ts";
import { pushReady } from "../report/push-ready.ts";
import { StatPublisher } from "../report/stat-publisher.ts";
import type { Tracing } from "../trace/tracing.ts";
import { QueueProxy } from "../wiring.ts";
import { metricsOf, onlookersOf } from "./onlookers.ts";
import { startSecureListener } from "./secure-listener.ts";
import { shutDown } from "./shut-down.ts";

export interface SidecarDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly environment: Environment;
  /** Takes a line of the request log, whole. */
  readonly writeRequest: (line: string) => void;
  /** Whether the log takes lines for debugging. */
  readonly isDebugging: boolean;
  /** Loads the chunk with the OpenTelemetry libraries. */
  readonly loadTelemetry: (options: TelemetryOptions) => Promise<Telemetry<Tracing>>;
}

/** The contract's quiet time. Q-109 */
const QUIET_MS = 30_000;
/** Of both stacks, or of IPv4 where the machine has no other. Q-4 */
const ALL_INTERFACES = "::";
/** What is kept of the pod's grace period for the end itself: a tenth of it, within these. E-10 */
const RESERVE_MS_MIN = 1_000;
const RESERVE_MS_MAX = 10_000;

/** A queue-proxy in a container: the chain of `wiring.ts` with every listener of the contract around it. */
export class Sidecar {
  readonly #deps: SidecarDeps;
  readonly #proxy: QueueProxy;
  readonly #servers: readonly { readonly name: string; readonly server: SideListener }[];
  readonly #userMetrics: SideListener | undefined;
  readonly #owned: readonly (Disposable | undefined)[];
  readonly #telemetry: Telemetry<Tracing> | undefined;
  readonly #ending: { isEnding: boolean };

  private constructor(
    deps: SidecarDeps,
    parts: {
      readonly proxy: QueueProxy;
      readonly servers: readonly { readonly name: string; readonly server: SideListener }[];
      readonly userMetrics: SideListener | undefined;
      readonly owned: readonly (Disposable | undefined)[];
      readonly telemetry: Telemetry<Tracing> | undefined;
      readonly ending: { isEnding: boolean };
    },
  ) {
    this.#deps = deps;
    this.#proxy = parts.proxy;
    this.#servers = parts.servers;
    this.#userMetrics = parts.userMetrics;
    this.#owned = parts.owned;
    this.#telemetry = parts.telemetry;
    this.#ending = parts.ending;
  }

  /** Listens on every port at once, without waiting for the program. Rejects with what could not be opened. */
  static async start(deps: SidecarDeps, config: Config): Promise<Sidecar> {
    const { clock, random, log } = deps;
    const { listenIp, observability } = config;
    log.info("Starting queue-proxy");
    logBreaker(log, config.containerConcurrency);
    const running: { proxy: QueueProxy | undefined } = { proxy: undefined };
    const queueDepth = (): number | undefined => running.proxy?.queueDepth;
    const metrics = metricsOf({ clock, queueDepth }, config);
    const resource = resourceOf(config, deps.environment.OTEL_SERVICE_NAME ?? "");
    const telemetry = needsOpenTelemetry(observability)
      ? await deps.loadTelemetry({
          ...observability,
          resource,
          families: () => [...metrics.families(), ...processMetrics(clock)],
          environment: deps.environment,
          failed: (what, error) => log.error(`failed to export ${what}`, { error }),
        })
      : undefined;
    const onlookers = onlookersOf(
      { clock, log, writeRequest: deps.writeRequest, queueDepth, sockstat, isDebugging: deps.isDebugging },
      config,
      {
        metrics,
        tracing: telemetry?.tracing,
      },
    );
    const ip = listenIp ?? ALL_INTERFACES;
    const starting = QueueProxy.start(
      { clock, random, log },
      {
        ip,
        port: config.servingPort,
        podName: config.podName,
        revision: config.revision,
        userPort: config.userPort,
        containerConcurrency: Math.max(0, config.containerConcurrency),
        ...config.limits,
        readinessProbes: config.readinessProbes,
        detectsHttp2: config.detectsHttp2,
        drainQuietMs: QUIET_MS,
        drainLimitMs: drainLimitMs(config.limits.timeoutMs),
        onlookers,
      },
    );
    const ending = { isEnding: false };
    const proxy = await named(`main:${config.servingPort}`, log, starting);
    running.proxy = proxy;
    const stats = new StatPublisher(clock, {
      podName: config.podName,
      take: (period) => proxy.takeStat(period),
    });
    const admin = startAdmin(
      { clock, log, drain: proxy.quiet, isEnding: () => ending.isEnding, mayAsk: config.adminCallers },
      ip,
    );
    const [adminServer, statServer, profiler, secure, userMetrics] = await Promise.all([
      named(`admin:${ports.queueAdmin}`, log, admin),
      named(`metrics:${ports.autoscalerMetrics}`, log, startStatEndpoint({ clock }, stats, ip)),
      observability.isProfiling
        ? named(
            `profile:${config.profilingPort}`,
            log,
            startProfiling(clock, { ip: listenIp, port: config.profilingPort }),
          )
        : undefined,
      startSecureListener({ clock, log }, proxy, config, ip),
      // A failed one is said and lived with, as in the reference: Q-7.
      config.prometheus === undefined
        ? undefined
        : startPrometheusListener(
            () => [targetInfo(resource), ...metrics.families(), ...processMetrics(clock)],
            { ...config.prometheus, ip: config.prometheus.host || listenIp },
          ).catch((error: unknown) => {
            log.error(`metrics server error: ${error instanceof Error ? error.message : error}`);
            return undefined;
          }),
    ]);
    const servers = [
      { name: "admin", server: adminServer },
      { name: "metrics", server: statServer },
      ...(profiler === undefined ? [] : [{ name: "profile", server: profiler }]),
    ];
    const sidecar = new Sidecar(deps, {
      proxy,
      servers,
      userMetrics,
      owned: [stats, secure],
      telemetry,
      ending,
    });
    if (config.readyListeners.length > 0) void sidecar.#tellWhenReady(config);
    return sidecar;
  }

  /** The whole end of §8, from the signal to the last flush. Call it once. */
  async end(): Promise<void> {
    const { clock, log } = this.#deps;
    const proxy = this.#proxy;
    this.#ending.isEnding = true;
    await shutDown(
      { clock, log, quietMs: QUIET_MS },
      {
        quiet: () => proxy.quiet.begin(),
        listeners: [
          { name: "main", drain: () => proxy.stopAccepting() },
          ...this.#servers.map(({ name, server }) => ({ name, drain: () => server.drain() })),
        ],
        closeTunnels: () => proxy.closeTunnels(),
        idle: () => proxy.quiet.idle(),
        inFlight: () => proxy.inFlight,
        restMs: () => proxy.quiet.restMs,
        flush: async () => {
          await this.#telemetry?.flush();
          await this.#userMetrics?.close();
        },
      },
    );
    for (const part of this.#owned) part?.[Symbol.dispose]();
    await Promise.all(this.#servers.map(({ server }) => server.close()));
    await proxy.close();
  }

  /** Watches the starting program, and tells activators the moment it is ready. Design §5 */
  async #tellWhenReady(config: Config): Promise<void> {
    const { clock, log } = this.#deps;
    if (!(await this.#proxy.awaitReady(new AbortController().signal))) return;
    const { namespace, name } = config.revision;
    const host = config.podIp.includes(":") ? `[${config.podIp}]` : config.podIp;
    await pushReady(
      { clock, log },
      { listeners: config.readyListeners, from: config.listenIp },
      {
        namespace,
        revision: name,
        endpoint: `${host}:${config.servingPort}`,
      },
    );
  }
}

/** What a drain may take: the pod's grace period, which is the revision's timeout, less the end itself. */
export function drainLimitMs(timeoutMs: number): number {
  if (timeoutMs <= 0) return Number.POSITIVE_INFINITY;
  return timeoutMs - Math.min(Math.max(timeoutMs / 10, RESERVE_MS_MIN), RESERVE_MS_MAX);
}

/** Says which listener it was that could not be opened. Q-7 */
async function named<T>(server: string, log: Logger, listening: Promise<T>): Promise<T> {
  log.info(`Starting http server ${server}`);
  try {
    return await listening;
  } catch (error) {
    throw new ConfigError(
      "fatal",
      `Failed to bring up queue-proxy, shutting down: http server ${server}: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function logBreaker(log: Logger, containerConcurrency: number): void {
  if (containerConcurrency <= 0) return;
  log.info(
    `Queue container is starting with BreakerParams = {QueueDepth:${10 * containerConcurrency} MaxConcurrency:${containerConcurrency} InitialCapacity:${containerConcurrency}}`,
  );
}

function sockstat(): string {
  try {
    return readFileSync("/proc/net/sockstat", "utf8");
  } catch {
    return "";
  }
}
