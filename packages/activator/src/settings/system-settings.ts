import {
  type ConfigMap,
  ConfigMapKind,
  Informer,
  type InformerDeps,
  type Logger,
  type LoggingConfig,
  objectKey,
  parseLogging,
} from "@rouse/shared";
import { type NetworkSettings, parseNetworkSettings } from "./network-settings.ts";
import { type ObservabilitySettings, parseObservabilitySettings } from "./observability-settings.ts";

/** Where the config maps are, by the names the environment gives them. A-4 */
export interface SettingsPlace {
  readonly namespace: string;
  readonly logging: string;
  readonly observability: string;
  /** Whether one that is missing is an error, as where Knative is installed; else it is as good as an empty one. */
  readonly areRequired: boolean;
}

/** What may change while the activator runs. */
export interface LiveSettings {
  logging(logging: LoggingConfig): void;
  /** Empty: none is written. */
  requestLog(template: string): void;
}

/**
 * The three config maps of the contract, which have to be there where Knative is. What `config-network` says and where spans and
 * metrics go holds until the next start; the level of the log and the request log follow. A map that makes no sense is
 * told, and what held before stays.
 */
export class SystemSettings implements Disposable {
  readonly network: NetworkSettings;
  readonly observability: ObservabilitySettings;
  readonly logging: LoggingConfig;
  readonly #maps: Informer<ConfigMap>;
  readonly #log: Logger;
  readonly #place: SettingsPlace;
  #live: LiveSettings | undefined;

  private constructor(maps: Informer<ConfigMap>, place: SettingsPlace, log: Logger) {
    const data = (name: string): NonNullable<ConfigMap["data"]> => {
      const found = maps.get(objectKey({ namespace: place.namespace, name }));
      if (found === undefined && place.areRequired)
        throw new Error(`there is no config map ${place.namespace}/${name}`);
      return found?.data ?? {};
    };
    this.#maps = maps;
    this.#place = place;
    this.#log = log;
    this.network = parseNetworkSettings(data("config-network"), log);
    this.observability = parseObservabilitySettings(data(place.observability));
    this.logging = loggingOf(data(place.logging));
  }

  /** @throws Error that says which map is missing, or what in one makes no sense */
  static async start(deps: InformerDeps, place: SettingsPlace, log: Logger): Promise<SystemSettings> {
    const started: { settings: SystemSettings | undefined } = { settings: undefined };
    const maps = new Informer<ConfigMap>(deps, ConfigMapKind, { namespace: place.namespace }).handle({
      changed: (map) => {
        if (started.settings !== undefined) started.settings.#changed(map);
      },
      removed: () => {}, // what held before stays
    });
    try {
      await maps.start();
      started.settings = new SystemSettings(maps, place, log);
      return started.settings;
    } catch (error) {
      maps[Symbol.dispose]();
      throw error;
    }
  }

  /** Tells what holds now, and every change from now on. */
  follow(live: LiveSettings): void {
    this.#live = live;
    live.logging(this.logging);
    live.requestLog(this.observability.requestLogTemplate);
  }

  [Symbol.dispose](): void {
    this.#maps[Symbol.dispose]();
  }

  #changed({ metadata: { name }, data = {} }: ConfigMap): void {
    try {
      if (name === this.#place.logging) this.#live?.logging(loggingOf(data));
      if (name === this.#place.observability) {
        this.#live?.requestLog(parseObservabilitySettings(data).requestLogTemplate);
      }
    } catch (error) {
      this.#log.warn("a config map makes no sense, and what held before stays", {
        configMap: name,
        because: error instanceof Error ? error.message : String(error),
      });
    }
  }
}

function loggingOf(data: NonNullable<ConfigMap["data"]>): LoggingConfig {
  const logging = parseLogging(data["zap-logger-config"] ?? "", data["loglevel.activator"] ?? "");
  if (logging.complaint !== undefined) throw new Error(logging.complaint);
  return logging;
}
