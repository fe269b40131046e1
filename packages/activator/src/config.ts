import {
  type EndpointsSource,
  type PrometheusTls,
  parseDuration,
  parseEndpointsSource,
  parsePrometheusTls,
  parseTlsVariables,
  ports,
  type TlsSettings,
  tlsVariables,
} from "@rouse/shared";
import type { ProbePace } from "./probe/pod-prober.ts";
import type { RevisionOrigin } from "./watch/revision-source.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Time for every ingress to hear of it. A §11. */
const LEAVING_MS = 45_000;

/** All the activator is told by its environment. A §1.2; what begins with `ROUSE_` is ours and optional. */
export interface Config {
  readonly podName: string;
  readonly podIp: string;
  readonly systemNamespace: string;
  /** Names of the config maps about logging and observability. */
  readonly configMaps: { readonly logging: string; readonly observability: string };
  readonly clusterDomain: string;
  readonly idleConnectionsMax: number;
  readonly probing: ProbePace;
  readonly metrics: {
    readonly ip: string | undefined;
    readonly port: number;
    readonly tls: PrometheusTls | undefined;
  };
  /** `ws://…` of the autoscaler. A-93. */
  readonly autoscalerUrl: string;
  /** The address to listen on; all interfaces unless told. */
  readonly listenIp: string;
  /** Where it listens for HTTP/1.1 and h2c revisions; the contract's ports unless told. */
  readonly ports: {
    readonly http: number;
    readonly h2c: number;
    /** By TLS, where it is on; and that of pods. A-121 */
    readonly https: number;
    readonly podHttps: number;
  };
  /** What is offered in handshakes of clients. */
  readonly tls: TlsSettings;
  /** How long it serves on after it was told to go. A-127. */
  readonly leavingMs: number;
  /** Whether its role may watch pods: those who wait are told more precisely why there is none. A-5. */
  readonly watchesPods: boolean;
  /** Publishes the metrics of releases up to 1.18 as well. A-50 */
  readonly hasOldNames: boolean;
  /** Tells pods apart in metrics, by their addresses. A-49 */
  readonly hasPodAddresses: boolean;
  /** Whose objects say which revisions there are: `podautoscalers` where Knative is not installed. */
  readonly revisionOrigin: RevisionOrigin;
  /** Whose objects say which pods there are. */
  readonly endpointsSource: EndpointsSource;
}

interface ConfigProblem {
  readonly variable: string;
  readonly problem: string;
}

type ParsedConfig =
  | { readonly kind: "config"; readonly config: Config }
  | { readonly kind: "problems"; readonly problems: readonly ConfigProblem[] };

export function processEnvironment(): Environment {
  return process.env;
}

/**
 * Reads the environment; all that is wrong with it is told at once. A-4.
 * @param resolvConf text of `/etc/resolv.conf`, `undefined` where there is none
 */
export function parseConfig(environment: Environment, resolvConf: string | undefined): ParsedConfig {
  const problems: ConfigProblem[] = [];
  const text = (name: string): string => environment[name] ?? "";
  const wrong = (variable: string, problem: string): void => void problems.push({ variable, problem });
  const required = (name: string): string => {
    if (text(name) === "") wrong(name, "is required");
    return text(name);
  };
  const integer = (name: string, fallback: number, max: number, min = 0): number => {
    const value = text(name) === "" ? fallback : Number(text(name));
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    wrong(name, `is to be a whole number from ${min} to ${max}`);
    return fallback;
  };
  const duration = (name: string, fallbackMs: number): number => {
    const valueMs = text(name) === "" ? fallbackMs : parseDuration(text(name));
    if (valueMs !== undefined && valueMs > 0) return valueMs;
    wrong(name, "is to be a duration above 0, such as 200ms");
    return fallbackMs;
  };
  const parsed = <T>(name: string, parse: () => T, otherwise: T): T => {
    try {
      return parse();
    } catch (error) {
      wrong(name, error instanceof Error ? error.message : String(error));
      return otherwise;
    }
  };
  const systemNamespace = required("SYSTEM_NAMESPACE");
  const clusterDomain = text("CLUSTER_DOMAIN") || searchedDomain(resolvConf ?? "") || "cluster.local";
  integer("MAX_IDLE_PROXY_CONNS", 1_000, Number.MAX_SAFE_INTEGER); // each pod's are bounded by the next one
  const endpointsSource = parseEndpointsSource(text("ROUSE_ENDPOINTS"), text("POD_IP"));
  if (endpointsSource === undefined) wrong("ROUSE_ENDPOINTS", "is to be endpoints or slices");
  if (!["", "revisions", "podautoscalers"].includes(text("ROUSE_REVISIONS"))) {
    wrong("ROUSE_REVISIONS", "is to be revisions or podautoscalers");
  }
  const config: Config = {
    podName: required("POD_NAME"),
    podIp: required("POD_IP"),
    systemNamespace,
    configMaps: {
      logging: text("CONFIG_LOGGING_NAME") || "config-logging",
      observability: text("CONFIG_OBSERVABILITY_NAME") || "config-observability",
    },
    clusterDomain,
    idleConnectionsMax: integer("MAX_IDLE_PROXY_CONNS_PER_HOST", 100, Number.MAX_SAFE_INTEGER),
    probing: {
      timeoutMs: duration("PROBE_TIMEOUT", 300),
      periodMs: duration("PROBE_FREQUENCY", 200),
    },
    metrics: {
      ip: text("METRICS_PROMETHEUS_HOST") || undefined,
      port: integer("ROUSE_METRICS_PORT", integer("METRICS_PROMETHEUS_PORT", 9_090, 65_535, 1_024), 65_535),
      tls: parsed("METRICS_PROMETHEUS_TLS", () => parsePrometheusTls(text), undefined),
    },
    autoscalerUrl:
      text("ROUSE_AUTOSCALER_URL") || `ws://autoscaler.${systemNamespace}.svc.${clusterDomain}:8080`,
    listenIp: text("ROUSE_LISTEN_IP") || "::",
    ports: {
      http: integer("ROUSE_HTTP_PORT", ports.queueHttp, 65_535),
      h2c: integer("ROUSE_H2C_PORT", ports.queueH2c, 65_535),
      https: integer("ROUSE_HTTPS_PORT", ports.queueHttps, 65_535),
      podHttps: integer("ROUSE_POD_HTTPS_PORT", ports.queueHttps, 65_535),
    },
    tls: parsed<TlsSettings>(
      "ACTIVATOR_TLS",
      () => parseTlsVariables(text, tlsVariables("ACTIVATOR_TLS")),
      {},
    ),
    leavingMs: duration("ROUSE_LEAVING", LEAVING_MS),
    watchesPods: text("ROUSE_WATCH_PODS") === "true",
    hasOldNames: text("ROUSE_OLD_METRIC_NAMES") === "true",
    hasPodAddresses: text("ROUSE_METRICS_POD_ADDRESSES") === "true",
    revisionOrigin: text("ROUSE_REVISIONS") === "podautoscalers" ? "podautoscalers" : "revisions",
    endpointsSource: endpointsSource ?? { kind: "endpoints" },
  };
  return problems.length > 0 ? { kind: "problems", problems } : { kind: "config", config };
}

/** What follows `svc.` in the list of domains to search. A-16. */
function searchedDomain(resolvConf: string): string | undefined {
  for (const line of resolvConf.split("\n")) {
    const [keyword, ...domains] = line.trim().split(/\s+/);
    if (keyword !== "search") continue;
    const found = domains.find((domain) => domain.startsWith("svc."));
    if (found !== undefined) return found.slice("svc.".length).replace(/\.$/, "");
  }
  return undefined;
}
