import { autoscaling, parseMilli } from "@rouse/shared";
import { type AdmissionSettings, defaultSettings } from "./settings.ts";

export type ConfigData = Readonly<Record<string, string>>;

export interface ConfigMaps {
  readonly defaults: ConfigData;
  readonly features: ConfigData;
  readonly autoscaler: ConfigData;
  /** Namespaces that ask to be left alone. */
  readonly excludedNamespaces?: ReadonlySet<string>;
}

/**
 * Admission's settings from the data of config-defaults, config-features and config-autoscaler. Absent keys mean
 * defaults, and so does a whole config map with a bad value in it (C-157); flags fall back one by one (C-154).
 */
export function readSettings(maps: ConfigMaps): AdmissionSettings {
  const { defaults, features, autoscaler, excludedNamespaces = defaultSettings.excludedNamespaces } = maps;
  return {
    ...defaultSettings,
    ...readDefaults(defaults),
    excludedNamespaces,
    features: readFeatures(features),
    securePodDefaults: readSecurePodDefaults(features["secure-pod-defaults"]),
    autoscaling: {
      allowZeroInitialScale: isTrue(autoscaler["allow-zero-initial-scale"] ?? "true"),
      maxScaleLimit: integer(autoscaler["max-scale-limit"]) ?? 0,
      defaultClass: autoscaler["pod-autoscaler-class"] ?? autoscaling.kpaClass,
    },
  };
}

function readDefaults(data: ConfigData): Partial<AdmissionSettings> {
  const bad: string[] = [];
  const number = (key: string, fallback: number): number => {
    const text = data[key];
    const value = text === undefined ? fallback : integer(text);
    if (value === undefined) bad.push(key);
    return value ?? fallback;
  };
  const timeout = number("revision-timeout-seconds", defaultSettings.revisionTimeoutSeconds);
  const settings = {
    revisionTimeoutSeconds: timeout,
    revisionTimeoutSecondsMax: number(
      "max-revision-timeout-seconds",
      defaultSettings.revisionTimeoutSecondsMax,
    ),
    responseStartTimeoutSeconds: number("revision-response-start-timeout-seconds", timeout),
    idleTimeoutSeconds: number("revision-idle-timeout-seconds", 0),
    containerConcurrency: number("container-concurrency", 0),
    containerConcurrencyMax: number(
      "container-concurrency-max-limit",
      defaultSettings.containerConcurrencyMax,
    ),
    allowContainerConcurrencyZero: isTrue(data["allow-container-concurrency-zero"] ?? "true"),
    containerName: data["container-name-template"] ?? defaultSettings.containerName,
    initContainerName: data["init-container-name-template"] ?? defaultSettings.initContainerName,
    enableServiceLinks: serviceLinks(data["enable-service-links"]),
    resources: { requests: quantities(data, "request", bad), limits: quantities(data, "limit", bad) },
  };
  const isConsistent =
    timeout <= settings.revisionTimeoutSecondsMax &&
    settings.responseStartTimeoutSeconds <= timeout &&
    settings.idleTimeoutSeconds <= timeout &&
    settings.containerConcurrencyMax >= 1 &&
    settings.containerConcurrency <= settings.containerConcurrencyMax;
  return bad.length === 0 && isConsistent ? settings : {};
}

/** The quantities of `revision-<resource>-<side>`; keys of texts that are none go to `bad`. */
function quantities(
  data: ConfigData,
  side: "request" | "limit",
  bad: string[],
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const resource of ["cpu", "memory", "ephemeral-storage"]) {
    const key = `revision-${resource}-${side}`;
    const text = data[key]?.trim() ?? "";
    if (text === "") continue;
    if (parseMilli(text) === undefined) bad.push(key);
    found[resource] = text;
  }
  return found;
}

function readSecurePodDefaults(text = ""): AdmissionSettings["securePodDefaults"] {
  const mode = text.trim().toLowerCase();
  return mode === "enabled" || mode === "allowrootbounded" ? mode : "disabled";
}

function readFeatures(data: ConfigData): ReadonlySet<string> {
  const features = new Set(defaultSettings.features);
  for (const [key, value] of Object.entries(data)) {
    const name = key.replace(/^kubernetes\./, "");
    switch (value.toLowerCase()) {
      case "enabled":
      case "allowed":
        features.add(name);
        break;
      case "disabled":
        features.delete(name);
        break;
      default: // anything else leaves the default
    }
  }
  return features;
}

function serviceLinks(text: string | undefined): boolean | undefined {
  if (text === undefined) return false;
  return { true: true, false: false }[text.toLowerCase()];
}

function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function isTrue(text: string): boolean {
  return text.toLowerCase() === "true";
}
