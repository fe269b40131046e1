import {
  type Clock,
  type KubeClient,
  type Labels,
  type Logger,
  type LoggingConfig,
  needsOpenTelemetry,
  type PlainServer,
  processMetrics,
  type Random,
  RequestLog,
  startPrometheusListener,
  type Telemetry,
  type TelemetryOptions,
  targetInfo,
} from "@rouse/shared";
import type { ActivatorContext } from "./accept/context.ts";
import type { Config, Environment } from "./config.ts";
import { RequestMetrics } from "./metrics/request-metrics.ts";
import { AutoscalerLink } from "./report/autoscaler-link.ts";
import { loggedRevision } from "./report/logged-revision.ts";
import { ClusterCertificates } from "./secure/cluster-certificates.ts";
import { SystemSettings } from "./settings/system-settings.ts";
import type { Tracing } from "./trace/tracing.ts";
import { Activator } from "./wiring.ts";

/** The kubelet kills it after 600 s; what has not ended a little before is cut. */
const DRAIN_MS_MAX = 540_000;
/** WebSockets are told that much before. */
const FAREWELL_MS = 10_000;

export interface ProgramDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Told how the log is to be written from now on. */
  readonly configureLog: (logging: LoggingConfig) => void;
  /** Takes a line of the request log, whole. */
  readonly writeRequest: (line: string) => void;
  readonly environment: Environment;
  /** Loads the bundle with the OpenTelemetry libraries. */
  readonly loadTelemetry: (options: TelemetryOptions) => Promise<Telemetry<Tracing>>;
}

/** The activator as a program of its own: reports over a WebSocket, metrics on a port, settings from config maps. */
export class Program {
  readonly activator: Activator;
  readonly #deps: ProgramDeps;
  readonly #link: AutoscalerLink;
  readonly #metrics: PlainServer | undefined;
  readonly #telemetry: Telemetry<Tracing> | undefined;
  /** What is closed at the end, last first. */
  readonly #owned: AsyncDisposableStack;
  readonly #leavingMs: number;

  private constructor(
    deps: ProgramDeps,
    parts: {
      readonly activator: Activator;
      readonly link: AutoscalerLink;
      readonly metrics: PlainServer | undefined;
      readonly telemetry: Telemetry<Tracing> | undefined;
      readonly owned: AsyncDisposableStack;
    },
    leavingMs: number,
  ) {
    this.#deps = deps;
    this.activator = parts.activator;
    this.#link = parts.link;
    this.#metrics = parts.metrics;
    this.#telemetry = parts.telemetry;
    this.#owned = parts.owned;
    this.#leavingMs = leavingMs;
  }

  /** Resolves when it listens, with everything there is known. @throws when it cannot listen */
  static async start(deps: ProgramDeps, config: Config): Promise<Program> {
    const { clock, random, log, environment } = deps;
    await using starting = new AsyncDisposableStack();
    const settings = starting.use(await SystemSettings.start(deps, placeOf(config), log));
    const { network, observability } = settings;
    const certificates = network.hasTls
      ? starting.use(await ClusterCertificates.start(deps, config.systemNamespace))
      : undefined;
    const requestLog = new RequestLog<ActivatorContext>({
      clock,
      write: deps.writeRequest,
      revisionOf: loggedRevision,
    });
    settings.follow({
      logging: deps.configureLog,
      requestLog: (template) => requestLog.setTemplate(template),
    });
    const requestMetrics =
      observability.requestMetrics.protocol === "none" ? undefined : new RequestMetrics(clock, config);
    const running: { activator: Activator | undefined } = { activator: undefined };
    const families = () => [...(running.activator?.metrics() ?? []), ...processMetrics(clock)];
    const resource = resourceOf(config, environment);
    const telemetry = needsOpenTelemetry(observability)
      ? await deps.loadTelemetry({
          ...observability,
          resource,
          families,
          environment,
          failed: (what, error) => log.error(`failed to export ${what}`, { error }),
        })
      : undefined;
    const link = starting.use(new AutoscalerLink({ clock, random, log }, config.autoscalerUrl));
    const activator = starting.use(
      await Activator.start(
        {
          ...deps,
          stats: link,
          connection: link,
          ...(certificates === undefined ? {} : { certificates }),
          onlookers: {
            requestLog,
            ...(requestMetrics === undefined ? {} : { requestMetrics }),
            ...(telemetry?.tracing === undefined ? {} : { tracing: telemetry.tracing }),
          },
        },
        {
          ...config,
          ip: config.listenIp,
          port: config.ports.http,
          h2cPort: config.ports.h2c,
          secure: { port: config.ports.https, settings: config.tls },
          securePodPort: config.ports.podHttps,
          mesh: network.mesh,
        },
      ),
    );
    running.activator = activator;
    const metrics =
      observability.requestMetrics.protocol === "prometheus"
        ? starting.use(
            await startPrometheusListener(() => [targetInfo(resource), ...families()], config.metrics),
          )
        : undefined;
    const owned = starting.move();
    log.info("activator listens", { address: `${activator.address.ip}:${activator.address.port}` });
    return new Program(deps, { activator, link, metrics, telemetry, owned }, config.leavingMs);
  }

  /** Where Prometheus may come, if it may (A §3.6). */
  get metricsPort(): number | undefined {
    return this.#metrics?.address.port;
  }

  /**
   * Ends in the order of the contract: not healthy at once, 45 s of serving as before, then no new connections until
   * what is held and in flight has ended; reports last, since what is held needs them (A-127..A-130).
   */
  async stop(): Promise<void> {
    const { clock, log } = this.#deps;
    this.activator.leave();
    log.info("told to go", { leavingMs: this.#leavingMs });
    await new Promise<void>((resolve) => clock.after(this.#leavingMs, resolve));
    const late = Promise.withResolvers<void>();
    const timer = clock.after(DRAIN_MS_MAX, () => late.resolve());
    const drained = this.activator.drain({ tunnelsCloseAfterMs: DRAIN_MS_MAX - FAREWELL_MS });
    await Promise.race([drained, late.promise]);
    timer[Symbol.dispose]();
    await this.activator.close();
    this.#link.close();
    await this.#telemetry?.flush();
    await this.#owned.disposeAsync();
  }
}

function placeOf({ systemNamespace, configMaps, revisionOrigin }: Config) {
  return { namespace: systemNamespace, ...configMaps, areRequired: revisionOrigin === "revisions" };
}

/** Who is speaking, in telemetry of every kind. A §3.6 */
function resourceOf({ systemNamespace, podName }: Config, environment: Environment): Labels {
  return [
    ["service.name", environment.OTEL_SERVICE_NAME || "activator"],
    ["service.version", "unknown"],
    ["k8s.namespace.name", systemNamespace],
    ["k8s.pod.name", podName],
  ];
}
