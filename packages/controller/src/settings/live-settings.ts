import {
  type ConfigMap,
  ConfigMapKind,
  Informer,
  type InformerDeps,
  type Logger,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import { defaultSettings, isSettingsName, readers, type Settings, type SettingsName } from "./settings.ts";

export interface LiveSettingsDeps extends InformerDeps {
  readonly log: Logger;
}

/** The ConfigMaps of the system namespace as they are now: absent means defaults, a bad one changes nothing. C-25. */
export class LiveSettings implements Disposable {
  readonly #log: Logger;
  readonly #informer: Informer<ConfigMap>;
  readonly #changed: ((name: SettingsName) => void)[] = [];
  #current: Settings = defaultSettings();

  constructor(deps: LiveSettingsDeps) {
    this.#log = deps.log;
    this.#informer = new Informer(deps, ConfigMapKind, { namespace: SYSTEM_NAMESPACE }).handle({
      changed: (configMap) => this.#read(configMap.metadata.name, configMap.data ?? {}),
      removed: (configMap) => this.#read(configMap.metadata.name, {}),
    });
  }

  get current(): Settings {
    return this.#current;
  }

  /** Told which ConfigMap now says something else. To be called before `start`. */
  onChange(listener: (name: SettingsName) => void): this {
    this.#changed.push(listener);
    return this;
  }

  async start(): Promise<void> {
    await this.#informer.start();
  }

  [Symbol.dispose](): void {
    this.#informer[Symbol.dispose]();
  }

  #read(name: string, data: Readonly<Record<string, string>>): void {
    if (!isSettingsName(name)) return;
    try {
      this.#current = { ...this.#current, ...readers[name](data) };
    } catch (error) {
      this.#log.error("config map refused, the previous one stays in force", {
        configMap: name,
        error: error instanceof Error ? error.message : String(error),
      });
      return;
    }
    for (const listener of this.#changed) listener(name);
  }
}
