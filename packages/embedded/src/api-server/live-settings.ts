import {
  type AnyObject,
  ConfigMapKind,
  NamespaceKind,
  type ObjectStore,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import { type AdmissionSettings, defaultSettings } from "../admission/settings.ts";
import { type ConfigData, readSettings } from "../admission/settings-from-config.ts";

/** A namespace with this label, whatever its value, has its objects taken as they come. C-143 */
const EXCLUDE_LABEL = "webhooks.knative.dev/exclude";
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
        excludedNamespaces: excluded,
      });
    };
    const excluded = new Set<string>();
    const look = ({ metadata }: AnyObject, isGone: boolean): void => {
      const { name = "" } = metadata;
      if (!isGone && Object.hasOwn(metadata.labels ?? {}, EXCLUDE_LABEL)) excluded.add(name);
      else excluded.delete(name);
    };
    for (const namespace of store.list(NamespaceKind)) look(namespace, false);
    read();
    return store.observe((kind, { type, object }) => {
      const { namespace, name } = object.metadata;
      if (kind.plural === NamespaceKind.plural) look(object, type === "DELETED");
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
