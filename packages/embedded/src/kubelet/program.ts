import { isAbsolute, resolve } from "node:path";
import {
  type Container,
  type EnvVar,
  labels,
  type Pod,
  QUEUE_PROXY_CONTAINER,
  rouse,
  type Stored,
} from "@rouse/shared";
import { expandVariables } from "./expand-variables.ts";

/** Port a program that fixes its own is taken to use when its container names none. */
const CONTAINER_PORT_DEFAULT = 8080;

/** A process to start. */
export interface Program {
  /** Path, or a name to be looked up in the environment's `PATH`. */
  readonly file: string;
  readonly args: readonly string[];
  readonly directory: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

export type ProgramPlan =
  | { readonly kind: "run"; readonly program: Program }
  /** The waiting reason and message of a pod that can never run here. */
  | { readonly kind: "refuse"; readonly reason: string; readonly message: string };

export interface ProgramSetting {
  /** What the process gets in `PORT`. */
  readonly userPort: number;
  readonly podIp: string;
  /** Variables of the platform that every process inherits. */
  readonly inherited: ReadonlyMap<string, string>;
  /** Variables by which the platform recognises its processes. They win over all others. */
  readonly markers: Readonly<Record<string, string>>;
}

/** The container whose process serves the requests: the one with a port, else the first beside queue-proxy. */
export function userContainer(pod: Pick<Pod, "spec">): Container | undefined {
  const own = pod.spec.containers.filter((container) => container.name !== QUEUE_PROXY_CONTAINER);
  return own.find((container) => (container.ports?.length ?? 0) > 0) ?? own[0];
}

/** The port of a program that cannot be told one, or `undefined` if it honours `PORT`. Design §9. */
export function fixedPort(pod: Pick<Pod, "spec" | "metadata">): number | undefined {
  if (pod.metadata.annotations?.[rouse.fixedPort] !== "true") return undefined;
  return userContainer(pod)?.ports?.[0]?.containerPort ?? CONTAINER_PORT_DEFAULT;
}

/**
 * Which process stands for a pod, design §9: the container's `command` and `args`, else the shell line of annotation
 * `rouse.dev/command`, else none, with the reason. Environment: inherited, then the container's in its order with
 * `$(NAME)` expanded, then `PORT`, the contract's `K_*` where the template has none (C-52), then the markers.
 */
export function planProgram(pod: Stored<Pod>, setting: ProgramSetting): ProgramPlan {
  const container = userContainer(pod);
  if (container === undefined) return refuse("CreateContainerError", "the pod has no container to run");
  const others = pod.spec.containers.filter(
    ({ name }) => name !== QUEUE_PROXY_CONTAINER && name !== container.name,
  );
  if (others.length > 0) {
    const names = others.map(({ name }) => name).join(", ");
    return refuse(
      "CreateContainerError",
      `one process per pod: containers ${names} beside ${container.name} cannot run`,
    );
  }
  const own = containerVariables(container, pod, setting);
  if (own.kind === "refuse") return own;
  const line = commandLine(container, pod, own.variables);
  if (line.kind === "refuse") return line;
  return {
    kind: "run",
    program: {
      file: line.file,
      args: line.args,
      directory: workingDirectory(container, pod),
      environment: {
        ...Object.fromEntries(setting.inherited),
        ...Object.fromEntries(own.variables),
        ...setting.markers,
      },
    },
  };
}

type Refusal = Extract<ProgramPlan, { kind: "refuse" }>;

function commandLine(
  container: Container,
  pod: Stored<Pod>,
  variables: ReadonlyMap<string, string>,
): Refusal | { readonly kind: "line"; readonly file: string; readonly args: readonly string[] } {
  const args = (container.args ?? []).map((argument) => expandVariables(argument, variables));
  const [file, ...rest] = (container.command ?? []).map((part) => expandVariables(part, variables));
  if (file !== undefined) return { kind: "line", file, args: [...rest, ...args] };
  const shellLine = pod.metadata.annotations?.[rouse.command];
  // The container's args become $1, $2, … of the line, as for any `sh -c`.
  if (shellLine !== undefined)
    return { kind: "line", file: "/bin/sh", args: ["-c", shellLine, "sh", ...args] };
  return refuse(
    "CreateContainerError",
    `images are not run here (${container.image ?? "none named"}): give container ${container.name} a command, ` +
      `or the template the annotation ${rouse.command}`,
  );
}

function containerVariables(
  container: Container,
  pod: Stored<Pod>,
  setting: ProgramSetting,
): Refusal | { readonly kind: "variables"; readonly variables: ReadonlyMap<string, string> } {
  // The one value the template cannot know: every pod of this home has its own port. First, so that all may refer to it.
  const variables = new Map([["PORT", String(setting.userPort)]]);
  for (const entry of container.env ?? []) {
    if (entry.name === "PORT") continue;
    const value = variableValue(entry, pod, setting, variables);
    if (value === undefined) {
      const message = `variable ${entry.name}: only a value or a fieldRef of the pod can be given`;
      return refuse("CreateContainerConfigError", message);
    }
    variables.set(entry.name, value);
  }
  for (const [name, label] of [
    ["K_REVISION", labels.revision],
    ["K_CONFIGURATION", labels.configuration],
    ["K_SERVICE", labels.service],
  ] as const) {
    if (!variables.has(name)) variables.set(name, pod.metadata.labels?.[label] ?? "");
  }
  return { kind: "variables", variables };
}

function variableValue(
  entry: EnvVar,
  pod: Stored<Pod>,
  setting: ProgramSetting,
  before: ReadonlyMap<string, string>,
): string | undefined {
  if (entry.valueFrom === undefined) return expandVariables(entry.value ?? "", before);
  const path = stringField(objectField(entry.valueFrom, "fieldRef"), "fieldPath");
  return path === undefined ? undefined : podField(path, pod, setting.podIp);
}

/** The downward API, as far as a process can be told. */
function podField(path: string, pod: Stored<Pod>, podIp: string): string | undefined {
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyed !== null) {
    const map = keyed[1] === "labels" ? pod.metadata.labels : pod.metadata.annotations;
    return map?.[keyed[2] ?? ""] ?? "";
  }
  switch (path) {
    case "metadata.name":
      return pod.metadata.name;
    case "metadata.namespace":
      return pod.metadata.namespace;
    case "metadata.uid":
      return pod.metadata.uid;
    case "status.podIP":
    case "status.podIPs":
      return podIp;
    case "status.hostIP":
      return "127.0.0.1";
    default:
      return undefined;
  }
}

function workingDirectory(container: Container, pod: Stored<Pod>): string | undefined {
  const manifest = pod.metadata.annotations?.[rouse.directory];
  const own = container.workingDir;
  if (own === undefined || own === "") return manifest;
  return isAbsolute(own) || manifest === undefined ? own : resolve(manifest, own);
}

function refuse(reason: string, message: string): Refusal {
  return { kind: "refuse", reason, message };
}

function objectField(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined;
}

function stringField(of: unknown, name: string): string | undefined {
  const value = objectField(of, name);
  return typeof value === "string" ? value : undefined;
}
