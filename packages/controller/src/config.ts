import { type EndpointsSource, parseEndpointsSource, SYSTEM_NAMESPACE } from "@rouse/shared";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the process may do, each alone. */
const PARTS = ["serverlessservice", "adoption", "webhook"] as const;
export type Part = (typeof PARTS)[number];

/** All the controller of a cluster is told by its environment; what begins with `ROUSE_` is optional. */
export interface Config {
  /** Name and address of this replica, as Leases know it. S-131 */
  readonly identity: { readonly podName: string; readonly podIp: string };
  readonly parts: ReadonlySet<Part>;
  /** The address to listen on; `undefined`: all of them, of either family. */
  readonly ip: string | undefined;
  /** For probes and metrics. */
  readonly adminPort: number;
  readonly webhookPort: number;
  /** Name of the Service in the system namespace that leads to the webhook: what its certificate is for. */
  readonly webhookService: string;
  /** Whose objects say who is behind a Service. */
  readonly endpointsSource: EndpointsSource;
}

const ADMIN_PORT = 9090;
const WEBHOOK_PORT = 8443;
const WEBHOOK_SERVICE = "rouse-webhook";

export function processEnvironment(): Environment {
  return process.env;
}

/** @throws Error naming every variable that is wrong */
export function parseConfig(env: Environment): Config {
  const problems: string[] = [];
  const given = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  const required = (name: string): string => {
    const value = given(name);
    if (value === undefined) problems.push(`${name} is missing`);
    return value ?? "";
  };
  const port = (name: string, otherwise: number): number => {
    const text = given(name);
    if (text === undefined) return otherwise;
    if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
    problems.push(`${name} must be a port`);
    return otherwise;
  };
  const namespace = given("SYSTEM_NAMESPACE");
  if (namespace !== undefined && namespace !== SYSTEM_NAMESPACE) {
    problems.push(`SYSTEM_NAMESPACE must be ${SYSTEM_NAMESPACE}`);
  }
  const endpointsSource = parseEndpointsSource(given("ROUSE_ENDPOINTS") ?? "", given("POD_IP") ?? "");
  if (endpointsSource === undefined) problems.push("ROUSE_ENDPOINTS must be endpoints or slices");
  const config: Config = {
    identity: { podName: required("POD_NAME"), podIp: required("POD_IP") },
    parts: parts(given("ROUSE_CONTROLLERS"), problems),
    ip: given("ROUSE_LISTEN_IP"),
    adminPort: port("ROUSE_ADMIN_PORT", ADMIN_PORT),
    webhookPort: port("ROUSE_WEBHOOK_PORT", WEBHOOK_PORT),
    webhookService: given("ROUSE_WEBHOOK_SERVICE") ?? WEBHOOK_SERVICE,
    endpointsSource: endpointsSource ?? { kind: "endpoints" },
  };
  if (problems.length > 0) throw new Error(problems.join("; "));
  return config;
}

function parts(text: string | undefined, problems: string[]): ReadonlySet<Part> {
  if (text === undefined) return new Set(PARTS);
  const wanted = new Set<Part>();
  for (const word of text.split(",").map((each) => each.trim())) {
    const part = PARTS.find((each) => each === word);
    if (part === undefined) problems.push(`ROUSE_CONTROLLERS: "${word}" is none of ${PARTS.join(", ")}`);
    else wanted.add(part);
  }
  return wanted;
}
