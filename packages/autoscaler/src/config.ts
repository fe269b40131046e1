import { type EndpointsSource, parseEndpointsSource } from "@rouse/shared";
import { read } from "./config/values.ts";
import { parseOrdinal } from "./forward/ordinal-holders.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** How this replica knows which buckets it holds. */
export type Membership =
  | { readonly kind: "leases"; readonly podName: string; readonly podIp: string }
  | {
      readonly kind: "ordinal";
      readonly name: string;
      readonly ordinal: number;
      readonly service: string;
      readonly protocol: string;
      readonly port: number;
    };

/** What the process is told. */
export interface Config {
  readonly membership: Membership;
  readonly clusterDomain: string;
  /** The address to listen on; `undefined`: all of them, of either family. */
  readonly ip: string | undefined;
  readonly statPort: number;
  readonly metricsPort: number;
  /** Whose objects say how many activators there are. */
  readonly endpointsSource: EndpointsSource;
}

const STAT_PORT = 8080;
const METRICS_PORT = 9090;
const STATEFUL_PORT = 80;

export function processEnvironment(): Environment {
  return process.env;
}

/** @throws Error naming every variable that is wrong. S-131, S-140, S-143. What begins with ROUSE_ is ours. */
export function parseConfig(env: Environment): Config {
  const problems: string[] = [];
  const port = (name: string, otherwise: number): number => {
    const text = given(env, name);
    if (text === undefined) return otherwise;
    const value = read.int32(text);
    if (value !== undefined && value >= 0 && value <= 65_535) return value;
    problems.push(`${name} must be a port`);
    return otherwise;
  };
  const endpointsSource = parseEndpointsSource(
    given(env, "ROUSE_ENDPOINTS") ?? "",
    given(env, "POD_IP") ?? "",
  );
  if (endpointsSource === undefined) problems.push("ROUSE_ENDPOINTS must be endpoints or slices");
  const config: Config = {
    membership: membership(env, port("STATEFUL_SERVICE_PORT", STATEFUL_PORT), problems),
    clusterDomain: given(env, "CLUSTER_DOMAIN") ?? "cluster.local",
    ip: given(env, "ROUSE_LISTEN_IP"),
    statPort: port("ROUSE_STAT_PORT", STAT_PORT),
    metricsPort: port("ROUSE_METRICS_PORT", METRICS_PORT),
    endpointsSource: endpointsSource ?? { kind: "endpoints" },
  };
  if (problems.length > 0) throw new Error(problems.join("; "));
  return config;
}

function membership(env: Environment, port: number, problems: string[]): Membership {
  const ordinalText = given(env, "STATEFUL_CONTROLLER_ORDINAL");
  const service = given(env, "STATEFUL_SERVICE_NAME");
  if (ordinalText !== undefined && service !== undefined) {
    const ordinal = parseOrdinal(ordinalText);
    if (ordinal === undefined) problems.push("STATEFUL_CONTROLLER_ORDINAL must be <name>-<number>");
    const protocol = given(env, "STATEFUL_SERVICE_PROTOCOL") ?? "http";
    return { kind: "ordinal", ...(ordinal ?? { name: "", ordinal: 0 }), service, protocol, port };
  }
  const podName = given(env, "POD_NAME");
  const podIp = given(env, "POD_IP");
  if (podName === undefined) problems.push("POD_NAME is missing");
  if (podIp === undefined) problems.push("POD_IP is missing");
  return { kind: "leases", podName: podName ?? "", podIp: podIp ?? "" };
}

function given(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}
