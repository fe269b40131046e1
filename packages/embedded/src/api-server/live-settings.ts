import { type AnyObject, ConfigMapKind, type ObjectStore, SYSTEM_NAMESPACE } from "@rouse/shared";
import { type AdmissionSettings, defaultSettings } from "../admission/settings.ts";
import { type ConfigData, readSettings } from "../admission/settings-from-config.ts";

const NAMES = ["config-defaults", "config-features", "config-autoscaler"] as const;

/** Admission's settings as the config maps of the system namespace have them now, read again when one changes. C-157 */
export class LiveSettings {
  #settings: AdmissionSettings = defaultSettings;

  get current(): AdmissionSettings {
    return this.#settings;
  }

  /** Follows the config maps in `store` from now on. */
  follow(store: ObjectStore): Disposable {
    const read = (): void => {
      const [defaults, features, autoscaler] = NAMES.map((name) => {
        return dataOf(store.find(ConfigMapKind, { namespace: SYSTEM_NAMESPACE, name }));
      });
      this.#settings = readSettings({
        defaults: defaults ?? {},
        features: features ?? {},
        autoscaler: autoscaler ?? {},
      });
    };
    read();
    return store.observe((kind, { object }) => {
      const { namespace, name } = object.metadata;
      const isOurs = kind.plural === ConfigMapKind.plural && namespace === SYSTEM_NAMESPACE;
      if (isOurs && NAMES.some((known) => known === name)) read();
    });
  }
}

function dataOf(object: AnyObject | undefined): ConfigData {
  const data: unknown = object === undefined ? undefined : Reflect.get(object, "data");
  if (typeof data !== "object" || data === null) return {};
  return Object.fromEntries(Object.entries(data).filter(([, value]) => typeof value === "string"));
}
