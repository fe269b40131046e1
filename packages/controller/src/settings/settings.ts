import { autoscaling, parseDuration, parseMilli, ROUSE_INGRESS_CLASS } from "@rouse/shared";
import { type ResourceName, type Resources, resourceNames } from "../revision/queue-proxy-resources.ts";
import { fillTemplate } from "../route/host-template.ts";
import { type Domain, parseDomains } from "./domains.ts";
import { type Data, isEnabled, readBoolean, readInteger, readText, SettingsError } from "./read-value.ts";

const QUEUE_SIDECAR_CPU_REQUEST = "25m";
const SPREAD = "prefer-spread-revision-over-nodes";

/** What the control plane reads from the ConfigMaps of the system namespace. C-157; durations in their own unit. */
export interface Settings {
  readonly autoscaler: {
    readonly initialScale: number;
    readonly allowsZeroInitialScale: boolean;
    readonly podAutoscalerClass: string;
  };
  readonly deployment: {
    readonly queueSidecarImage: string;
    readonly progressDeadlineSeconds: number;
    readonly isPodAlwaysSchedulable: boolean;
    readonly queueSidecarResources: Resources;
    /** Whether pods of a revision keep apart from each other where they can. C-51 */
    readonly spreadsPods: boolean;
  };
  readonly defaults: {
    readonly timeoutSeconds: number;
    readonly responseStartTimeoutSeconds: number;
    readonly idleTimeoutSeconds: number;
    readonly containerConcurrency: number;
    readonly containerName: string;
  };
  readonly domains: readonly Domain[];
  readonly network: {
    readonly ingressClass: string;
    readonly domainTemplate: string;
    readonly tagTemplate: string;
    readonly defaultExternalScheme: string;
    readonly httpOption: "Enabled" | "Redirected" | undefined;
    readonly autocreatesDomainClaims: boolean;
    /** How long a new revision takes to get all traffic; 0: at once. */
    readonly rolloutSeconds: number;
  };
  readonly features: {
    readonly routesByTagHeader: boolean;
    readonly multiContainerProbing: boolean;
    readonly queueProxyResourceDefaults: boolean;
  };
  /** `${REVISION_UID}` stands for the uid; empty: revisions have no such link. C-42 */
  readonly observability: { readonly revisionUrlTemplate: string };
  readonly gc: {
    /** `undefined`: disabled. */
    readonly retainSinceCreateMs: number | undefined;
    readonly retainSinceActiveMs: number | undefined;
    readonly nonActiveMin: number;
    readonly nonActiveMax: number | undefined;
  };
}

/** One reader per ConfigMap; each throws SettingsError, so that one bad value rejects its whole ConfigMap. */
export const readers = {
  "config-autoscaler": (data: Data): Partial<Settings> => ({ autoscaler: readAutoscaler(data) }),
  "config-deployment": (data: Data): Partial<Settings> => ({ deployment: readDeployment(data) }),
  "config-defaults": (data: Data): Partial<Settings> => ({ defaults: readDefaults(data) }),
  "config-domain": (data: Data): Partial<Settings> => ({ domains: parseDomains(data) }),
  "config-network": (data: Data): Partial<Settings> => ({ network: readNetwork(data) }),
  "config-features": (data: Data): Partial<Settings> => ({ features: readFeatures(data) }),
  "config-observability": (data: Data): Partial<Settings> => ({
    observability: { revisionUrlTemplate: readText(data, "logging.revision-url-template") ?? "" },
  }),
  "config-gc": (data: Data): Partial<Settings> => ({ gc: readGc(data) }),
} as const;

export type SettingsName = keyof typeof readers;

export function isSettingsName(name: string): name is SettingsName {
  return Object.hasOwn(readers, name);
}

/** Everything at its default: what empty or absent ConfigMaps mean. */
export function defaultSettings(): Settings {
  return {
    autoscaler: readAutoscaler({}),
    deployment: readDeployment({}),
    defaults: readDefaults({}),
    domains: [],
    network: readNetwork({}),
    features: readFeatures({}),
    observability: { revisionUrlTemplate: "" },
    gc: readGc({}),
  };
}

function readAutoscaler(data: Data): Settings["autoscaler"] {
  const allowsZeroInitialScale = readBoolean(data, "allow-zero-initial-scale", false);
  return {
    allowsZeroInitialScale,
    initialScale: readInteger(data, "initial-scale", { fallback: 1, min: allowsZeroInitialScale ? 0 : 1 }),
    podAutoscalerClass: readText(data, "pod-autoscaler-class") ?? autoscaling.kpaClass,
  };
}

function readDeployment(data: Data): Settings["deployment"] {
  checkDuration(data, ["digest-resolution-timeout", "digestResolutionTimeout"]);
  const deadline = readText(data, ["progress-deadline", "progressDeadline"]) ?? "600s";
  const deadlineMs = parseDuration(deadline);
  if (deadlineMs === undefined || deadlineMs <= 0 || deadlineMs % 1_000 !== 0) {
    throw new SettingsError(`progress-deadline: expected whole seconds above 0, got "${deadline}"`);
  }
  return {
    queueSidecarImage: readText(data, ["queue-sidecar-image", "queueSidecarImage"]) ?? "queue-proxy",
    progressDeadlineSeconds: deadlineMs / 1_000,
    isPodAlwaysSchedulable: readBoolean(data, "pod-is-always-schedulable", false),
    queueSidecarResources: readSidecarResources(data),
    spreadsPods: readSpread(data),
  };
}

/** */
function readSidecarResources(data: Data): Resources {
  const side = (which: "request" | "limit"): Partial<Record<ResourceName, string>> => {
    const found: Partial<Record<ResourceName, string>> =
      which === "request" ? { cpu: QUEUE_SIDECAR_CPU_REQUEST } : {};
    for (const name of resourceNames) {
      const text = readQuantity(data, [`queue-sidecar-${name}-${which}`, camelCase(name, which)]);
      if (text !== undefined) found[name] = text;
    }
    return found;
  };
  return { requests: side("request"), limits: side("limit") };
}

/** `queueSidecarCPURequest`, an older spelling of `queue-sidecar-cpu-request`. */
function camelCase(name: ResourceName, which: "request" | "limit"): string {
  const resource = { cpu: "CPU", memory: "Memory", "ephemeral-storage": "EphemeralStorage" }[name];
  return `queueSidecar${resource}${which === "request" ? "Request" : "Limit"}`;
}

function readSpread(data: Data): boolean {
  const text = readText(data, "default-affinity-type") ?? SPREAD;
  if (text === SPREAD || text === "none") return text === SPREAD;
  throw new SettingsError(`default-affinity-type: expected ${SPREAD} or none, got "${text}"`);
}

function readFeatures(data: Data): Settings["features"] {
  return {
    routesByTagHeader: isEnabled(data, "tag-header-based-routing"),
    multiContainerProbing: isEnabled(data, "multi-container-probing"),
    queueProxyResourceDefaults: isEnabled(data, "queueproxy.resource-defaults"),
  };
}

function readDefaults(data: Data): Settings["defaults"] {
  const max = readInteger(data, "max-revision-timeout-seconds", { fallback: 600, min: 1 });
  const timeoutSeconds = readInteger(data, "revision-timeout-seconds", { fallback: 300, min: 1, max });
  const concurrencyMax = readInteger(data, "container-concurrency-max-limit", { fallback: 1_000, min: 1 });
  readBoolean(data, "allow-container-concurrency-zero", true); // admission's, as are quantities
  for (const name of resourceNames) {
    for (const which of ["request", "limit"]) readQuantity(data, [`revision-${name}-${which}`]);
  }
  return {
    timeoutSeconds,
    responseStartTimeoutSeconds: readInteger(data, "revision-response-start-timeout-seconds", {
      fallback: timeoutSeconds,
      min: 0,
      max: timeoutSeconds,
    }),
    idleTimeoutSeconds: readInteger(data, "revision-idle-timeout-seconds", {
      fallback: 0,
      min: 0,
      max: timeoutSeconds,
    }),
    containerConcurrency: readInteger(data, "container-concurrency", {
      fallback: 0,
      min: 0,
      max: concurrencyMax,
    }),
    containerName: readText(data, "container-name-template") ?? "user-container",
  };
}

function readNetwork(data: Data): Settings["network"] {
  for (const key of ["cluster-local-domain-tls", "system-internal-tls"]) {
    const text = readText(data, key)?.toLowerCase() ?? "disabled";
    if (text !== "enabled" && text !== "disabled") {
      throw new SettingsError(`${key}: expected enabled or disabled, got "${text}"`);
    }
  }
  readBoolean(data, "enable-mesh-pod-addressability", false); // the activator's
  return {
    ingressClass: readText(data, ["ingress-class", "ingress.class"]) ?? ROUSE_INGRESS_CLASS,
    domainTemplate: readTemplate(
      data,
      ["domain-template", "domainTemplate"],
      "{{.Name}}.{{.Namespace}}.{{.Domain}}",
    ),
    tagTemplate: readTemplate(data, ["tag-template", "tagTemplate"], "{{.Tag}}-{{.Name}}"),
    defaultExternalScheme: readText(data, "default-external-scheme") ?? "http",
    autocreatesDomainClaims: readBoolean(data, "autocreate-cluster-domain-claims", false),
    rolloutSeconds: readInteger(data, ["rollout-duration", "rolloutDuration"], { fallback: 0, min: 0 }),
    httpOption: readHttpOption(readText(data, ["http-protocol", "httpProtocol"]) ?? "enabled"),
  };
}

const TEMPLATE_TRIAL = {
  Name: "name",
  Namespace: "namespace",
  Domain: "example.com",
  Tag: "tag",
  Labels: {},
  Annotations: {},
};

/** A template is tried once: what it cannot be filled with, or would put a path into a host, is refused. C-77, C-157 */
function readTemplate(data: Data, keys: readonly string[], fallback: string): string {
  const text = readText(data, keys) ?? fallback;
  let tried: string;
  try {
    tried = fillTemplate(text, TEMPLATE_TRIAL);
  } catch (error) {
    throw new SettingsError(`${keys[0]}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (/[/{}\s]/.test(tried)) throw new SettingsError(`${keys[0]}: "${text}" gives no host, but "${tried}"`);
  return text;
}

function readHttpOption(text: string): Settings["network"]["httpOption"] {
  switch (text.toLowerCase()) {
    case "enabled":
      return "Enabled";
    case "redirected":
      return "Redirected";
    case "disabled":
      return undefined;
    default:
      throw new SettingsError(`http-protocol: expected enabled or redirected, got "${text}"`);
  }
}

function readGc(data: Data): Settings["gc"] {
  const nonActiveMin = readInteger(data, "min-non-active-revisions", { fallback: 20, min: 0 });
  return {
    retainSinceCreateMs: readRetention(data, "retain-since-create-time", "48h"),
    retainSinceActiveMs: readRetention(data, "retain-since-last-active-time", "15h"),
    nonActiveMin,
    nonActiveMax:
      readText(data, "max-non-active-revisions")?.toLowerCase() === "disabled"
        ? undefined
        : readInteger(data, "max-non-active-revisions", { fallback: 1_000, min: nonActiveMin }),
  };
}

function readRetention(data: Data, key: string, fallback: string): number | undefined {
  const text = readText(data, key) ?? fallback;
  if (text.toLowerCase() === "disabled") return undefined;
  const ms = parseDuration(text);
  if (ms === undefined || ms < 0) throw new SettingsError(`${key}: expected a duration, got "${text}"`);
  return ms;
}

function readQuantity(data: Data, keys: readonly string[]): string | undefined {
  const text = readText(data, keys);
  if (text === undefined || parseMilli(text) !== undefined) return text;
  throw new SettingsError(`${keys[0]}: expected a quantity, got "${text}"`);
}

function checkDuration(data: Data, keys: readonly string[]): void {
  const text = readText(data, keys);
  if (text === undefined || (parseDuration(text) ?? 0) > 0) return;
  throw new SettingsError(`${keys[0]}: expected a duration above 0, got "${text}"`);
}
