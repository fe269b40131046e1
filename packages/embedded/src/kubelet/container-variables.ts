import {
  type Container,
  type EnvVarSource,
  type KeySelector,
  labels,
  type Pod,
  type Stored,
} from "@rouse/shared";
import { expandVariables } from "./expand-variables.ts";
import type { PodSources } from "./pod-sources.ts";

/** Where the serving program of the pod listens; for the containers beside it. */
const USER_PORT_VARIABLE = "ROUSE_USER_PORT";
const VARIABLE_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;

export interface VariablesSetting {
  readonly isServing: boolean;
  /** The port of the serving program. */
  readonly userPort: number;
  readonly podIp: string;
  readonly sources: PodSources;
  /** Where each volume is; set only when the pod takes its volumes by variable. */
  readonly volumes: ReadonlyMap<string, string>;
}

export type Variables =
  | { readonly kind: "variables"; readonly variables: ReadonlyMap<string, string> }
  /** `isFinal`: no change of another object can make it right. */
  | { readonly kind: "missing"; readonly isFinal: boolean; readonly message: string };

/**
 * What a container's process has in its environment beside what it inherits, in Kubernetes' order: all keys of
 * `envFrom`, then `env` with `$(NAME)` expanded. The serving program gets `PORT`, all of them the contract's `K_*`
 * where the template has none (C-52), and volumes as `ROUSE_VOLUME_<NAME>`.
 */
export function containerVariables(
  container: Container,
  pod: Stored<Pod>,
  setting: VariablesSetting,
): Variables {
  // The values a template cannot know: every pod of this home has its own port. First, so that all may refer to them.
  const port = String(setting.userPort);
  const variables = new Map([[setting.isServing ? "PORT" : USER_PORT_VARIABLE, port]]);
  for (const [name, path] of setting.volumes) variables.set(volumeVariable(name), path);
  for (const source of container.envFrom ?? []) {
    const read = allKeys(source, setting.sources);
    if (typeof read === "string") return { kind: "missing", isFinal: false, message: read };
    for (const [key, value] of Object.entries(read)) {
      const name = `${source.prefix ?? ""}${key}`;
      if (VARIABLE_NAME.test(name) && !(setting.isServing && name === "PORT")) variables.set(name, value);
    }
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (name === "PORT" && setting.isServing) continue;
    const read =
      valueFrom === undefined
        ? { value: expandVariables(value ?? "", variables) }
        : variableValue(valueFrom, pod, setting);
    if ("missing" in read) {
      return { kind: "missing", isFinal: read.isFinal, message: `variable ${name}: ${read.missing}` };
    }
    if (read.value !== undefined) variables.set(name, read.value);
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

/** `ROUSE_VOLUME_CONFIG_FILES` of volume `config-files`. */
export function volumeVariable(volume: string): string {
  return `ROUSE_VOLUME_${volume.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
}

/** A value of `undefined` is an optional key that is not there. */
type Read = { readonly value: string | undefined } | { readonly missing: string; readonly isFinal: boolean };

function variableValue(from: EnvVarSource, pod: Stored<Pod>, setting: VariablesSetting): Read {
  const { fieldRef, configMapKeyRef, secretKeyRef } = from;
  if (fieldRef !== undefined) {
    const value = podField(fieldRef.fieldPath, pod, setting.podIp);
    return value === undefined
      ? { missing: `there is no field ${fieldRef.fieldPath} of a pod here`, isFinal: true }
      : { value };
  }
  if (configMapKeyRef !== undefined) {
    const data = setting.sources.configMap(configMapKeyRef.name);
    return keyOf(configMapKeyRef, "configmap", data, (text) => text);
  }
  if (secretKeyRef !== undefined) {
    const data = setting.sources.secret(secretKeyRef.name);
    return keyOf(secretKeyRef, "secret", data, (bytes) => bytes.toString("utf8"));
  }
  const message = "only a value, a fieldRef of the pod, or a key of a ConfigMap or Secret can be given";
  return { missing: message, isFinal: true };
}

function keyOf<V>(
  { name, key, optional }: KeySelector,
  what: string,
  data: Readonly<Record<string, V>> | undefined,
  text: (value: V) => string,
): Read {
  const value = data === undefined || !Object.hasOwn(data, key) ? undefined : data[key];
  if (value !== undefined) return { value: text(value) };
  if (optional === true) return { value: undefined };
  const missing =
    data === undefined ? `${what} "${name}" not found` : `couldn't find key ${key} in ${what} "${name}"`;
  return { missing, isFinal: false };
}

/** Every key of what an `envFrom` entry names, or what is missing. */
function allKeys(
  { configMapRef, secretRef }: NonNullable<Container["envFrom"]>[number],
  sources: PodSources,
): Readonly<Record<string, string>> | string {
  if (configMapRef !== undefined) {
    const data = sources.configMap(configMapRef.name);
    if (data !== undefined) return data;
    return configMapRef.optional === true ? {} : `configmap "${configMapRef.name}" not found`;
  }
  if (secretRef === undefined) return {};
  const data = sources.secret(secretRef.name);
  if (data === undefined) return secretRef.optional === true ? {} : `secret "${secretRef.name}" not found`;
  return Object.fromEntries(Object.entries(data).map(([key, bytes]) => [key, bytes.toString("utf8")]));
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
    case "status.hostIPs":
      return "127.0.0.1";
    default:
      return undefined;
  }
}
