import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { type Pod, rouse, type Stored, type Volume } from "@rouse/shared";
import type { PodSources } from "./pod-sources.ts";

/** What has to be on disk before a pod's processes start. */
export type VolumePlan =
  | { readonly kind: "volumes"; readonly volumes: readonly PlannedVolume[] }
  /** `isFinal`: no change of another object can make it right. */
  | { readonly kind: "missing"; readonly isFinal: boolean; readonly message: string };

export interface PlannedVolume {
  readonly name: string;
  readonly directory: string;
  /** By path within the directory. */
  readonly files: ReadonlyMap<string, Uint8Array | string>;
}

/** Value of `rouse.volumes` with which a program takes its volumes at the paths in its environment. */
const BY_VARIABLE = "by-variable";

/** Where a pod's volumes are. Removed with the pod. */
export function volumesDirectory(dataDirectory: string, pod: Stored<Pod>): string {
  return join(dataDirectory, "volumes", pod.metadata.uid);
}

/**
 * The directories that stand for a pod's volumes. A process sees the machine's own files, so nothing can be put at a
 * `mountPath` for it alone: a pod has to say that it looks for its volumes in `ROUSE_VOLUME_<NAME>`, else it is refused.
 */
export function planVolumes(pod: Stored<Pod>, sources: PodSources, directory: string): VolumePlan {
  const mounted = new Map(
    [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
      .flatMap(({ volumeMounts = [] }) => volumeMounts)
      .map(({ name, mountPath }) => [name, mountPath] as const),
  );
  const wanted = (pod.spec.volumes ?? []).filter(({ name }) => mounted.has(name));
  const [first] = wanted;
  if (first !== undefined && pod.metadata.annotations?.[rouse.volumes] !== BY_VARIABLE) {
    const message =
      `volume ${first.name} cannot be mounted at ${mounted.get(first.name)}: pods are processes here. With the ` +
      `annotation ${rouse.volumes}: ${BY_VARIABLE} a program finds its path in ROUSE_VOLUME_<NAME>`;
    return { kind: "missing", isFinal: true, message };
  }
  const volumes: PlannedVolume[] = [];
  for (const volume of wanted) {
    const files = filesOf(volume, sources);
    if ("message" in files) return { kind: "missing", ...files };
    volumes.push({ name: volume.name, directory: join(directory, volume.name), files: files.files });
  }
  return { kind: "volumes", volumes };
}

/** Makes the directories and writes the files anew; what else is in a directory stays. */
export async function writeVolumes(volumes: readonly PlannedVolume[]): Promise<void> {
  for (const { directory, files } of volumes) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    for (const [path, content] of files) {
      const target = join(directory, path);
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await writeFile(target, content, { mode: 0o600 });
    }
  }
}

export async function removeVolumes(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

type Files =
  | { readonly files: ReadonlyMap<string, Uint8Array | string> }
  | { readonly message: string; readonly isFinal: boolean };

function filesOf(volume: Volume, sources: PodSources): Files {
  const { name, configMap, secret, emptyDir } = volume;
  if (emptyDir !== undefined) return { files: new Map() };
  if (configMap !== undefined) {
    return picked(configMap, sources.configMap(configMap.name), `configmap "${configMap.name}"`);
  }
  if (secret !== undefined) {
    return picked(secret, sources.secret(secret.secretName), `secret "${secret.secretName}"`);
  }
  const message = `volume ${name}: only emptyDir, configMap and secret can be offered to a process`;
  return { message, isFinal: true };
}

function picked(
  { items, optional }: Pick<NonNullable<Volume["configMap"]>, "items" | "optional">,
  data: Readonly<Record<string, Uint8Array | string>> | undefined,
  what: string,
): Files {
  if (data === undefined) {
    return optional === true ? { files: new Map() } : { message: `${what} not found`, isFinal: false };
  }
  const files = new Map<string, Uint8Array | string>();
  for (const { key, path } of items ?? Object.keys(data).map((each) => ({ key: each, path: each }))) {
    const content = Object.hasOwn(data, key) ? data[key] : undefined;
    const isInside = !normalize(path).startsWith("..") && !path.startsWith("/");
    if (!isInside) return { message: `${what}: path ${path} leaves the volume`, isFinal: true };
    if (content !== undefined) files.set(path, content);
    else if (optional !== true) return { message: `${what} has no key ${key}`, isFinal: false };
  }
  return { files };
}
