import type { Clock, KubeClient, Logger, Random } from "@rouse/shared";
import type { Config } from "./config.ts";
import { MetricsServer } from "./metrics/metrics-server.ts";
import { AutoscalerLink } from "./report/autoscaler-link.ts";
import { SystemSettings } from "./settings/system-settings.ts";
import { Activator } from "./wiring.ts";

/** The kubelet kills it after 600 s; what has not ended a little before is cut. */
const DRAIN_MS_MAX = 540_000;

export interface ProgramDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The activator as a program of its own: reports over a WebSocket, metrics on a port. */
export class Program {
  readonly activator: Activator;
  readonly #deps: ProgramDeps;
  readonly #link: AutoscalerLink;
  readonly #metrics: MetricsServer;
  readonly #settings: SystemSettings;
  readonly #leavingMs: number;

  private constructor(
    deps: ProgramDeps,
    parts: {
      readonly activator: Activator;
      readonly link: AutoscalerLink;
      readonly metrics: MetricsServer;
      readonly settings: SystemSettings;
    },
    leavingMs: number,
  ) {
    this.#deps = deps;
    this.activator = parts.activator;
    this.#link = parts.link;
    this.#metrics = parts.metrics;
    this.#settings = parts.settings;
    this.#leavingMs = leavingMs;
  }

  /** Resolves when it listens, with everything there is known. @throws when it cannot listen */
  static async start(deps: ProgramDeps, config: Config): Promise<Program> {
    const { clock, random, log } = deps;
    await using starting = new AsyncDisposableStack();
    const settings = starting.use(
      await SystemSettings.start(
        deps,
        {
          namespace: config.systemNamespace,
          ...config.configMaps,
          areRequired: config.revisionOrigin === "revisions",
        },
        log,
      ),
    );
    const link = starting.use(new AutoscalerLink({ clock, random, log }, config.autoscalerUrl));
    const activator = starting.use(
      await Activator.start(
        { ...deps, stats: link, connection: link },
        {
          ip: config.listenIp,
          port: config.ports.http,
          h2cPort: config.ports.h2c,
          podName: config.podName,
          podIp: config.podIp,
          clusterDomain: config.clusterDomain,
          idleConnectionsMax: config.idleConnectionsMax,
          probing: config.probing,
          watchesPods: config.watchesPods,
          revisionOrigin: config.revisionOrigin,
          mesh: settings.network.mesh,
        },
      ),
    );
    const metrics = starting.use(await MetricsServer.start(() => activator.metrics(), config.metrics));
    starting.move();
    log.info("activator listens", { address: `${activator.address.ip}:${activator.address.port}` });
    return new Program(deps, { activator, link, metrics, settings }, config.leavingMs);
  }

  get metricsPort(): number {
    return this.#metrics.port;
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
    await Promise.race([this.activator.drain(), late.promise]);
    timer[Symbol.dispose]();
    await this.activator.close();
    this.#link.close();
    await this.#metrics[Symbol.asyncDispose]();
    this.#settings[Symbol.dispose]();
  }
}
