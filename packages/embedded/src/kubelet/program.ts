import { isAbsolute, resolve } from "node:path";
import { type Container, type Pod, QUEUE_PROXY_CONTAINER, rouse, type Stored } from "@rouse/shared";
import { containerVariables } from "./container-variables.ts";
import { expandVariables } from "./expand-variables.ts";
import type { PodSources } from "./pod-sources.ts";

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
  /** The waiting reason and message; `isFinal`: the pod can never run here, nothing is to be tried again. */
  | {
      readonly kind: "refuse";
      readonly isFinal: boolean;
      readonly reason: string;
      readonly message: string;
    };

export interface ProgramSetting {
  /** Whether it is the container that requests go to. */
  readonly isServing: boolean;
  /** What the serving process gets in `PORT`. */
  readonly userPort: number;
  readonly podIp: string;
  readonly sources: PodSources;
  readonly volumes: ReadonlyMap<string, string>;
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

/** The containers beside the serving one, but for queue-proxy, which is no process here. */
export function sideContainers(pod: Pick<Pod, "spec">): readonly Container[] {
  const serving = userContainer(pod);
  return pod.spec.containers.filter(
    (container) => container.name !== QUEUE_PROXY_CONTAINER && container !== serving,
  );
}

/**
 * Which process stands for a container, design §9: its `command` and `args`, else for the serving one the shell line
 * of annotation `rouse.dev/command`, else none, with the reason. Environment: inherited, then the container's own
 * (`containerVariables`), then the markers.
 */
export function planProgram(pod: Stored<Pod>, container: Container, setting: ProgramSetting): ProgramPlan {
  const own = containerVariables(container, pod, setting);
  if (own.kind === "missing") {
    const { isFinal, message } = own;
    return { kind: "refuse", isFinal, reason: "CreateContainerConfigError", message };
  }
  const line = commandLine(container, pod, own.variables, setting.isServing);
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
  isServing: boolean,
): Refusal | { readonly kind: "line"; readonly file: string; readonly args: readonly string[] } {
  const args = (container.args ?? []).map((argument) => expandVariables(argument, variables));
  const [file, ...rest] = (container.command ?? []).map((part) => expandVariables(part, variables));
  if (file !== undefined) return { kind: "line", file, args: [...rest, ...args] };
  const shellLine = isServing ? pod.metadata.annotations?.[rouse.command] : undefined;
  // The container's args become $1, $2, … of the line, as for any `sh -c`.
  if (shellLine !== undefined)
    return { kind: "line", file: "/bin/sh", args: ["-c", shellLine, "sh", ...args] };
  const annotation = isServing ? `, or the template the annotation ${rouse.command}` : "";
  return {
    kind: "refuse",
    isFinal: true,
    reason: "CreateContainerError",
    message:
      `images are not run here (${container.image ?? "none named"}): ` +
      `give container ${container.name} a command${annotation}`,
  };
}

function workingDirectory(container: Container, pod: Stored<Pod>): string | undefined {
  const manifest = pod.metadata.annotations?.[rouse.directory];
  const own = container.workingDir;
  if (own === undefined || own === "") return manifest;
  return isAbsolute(own) || manifest === undefined ? own : resolve(manifest, own);
}
