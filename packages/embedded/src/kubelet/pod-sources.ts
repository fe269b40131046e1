import {
  type ConfigMap,
  ConfigMapKind,
  type Container,
  isKubeError,
  type Kind,
  type KubeClient,
  type KubeObject,
  type Pod,
  type Secret,
  SecretKind,
  type Stored,
} from "@rouse/shared";

/** The ConfigMaps and Secrets of a pod's namespace, as far as the pod refers to them. */
export interface PodSources {
  /** Its keys as text; `undefined` when there is no such object. */
  configMap(name: string): Readonly<Record<string, string>> | undefined;
  /** Its keys, decoded; `undefined` when there is no such object. */
  secret(name: string): Readonly<Record<string, Buffer>> | undefined;
}

export const noSources: PodSources = { configMap: () => undefined, secret: () => undefined };

/** Whether a pod has to wait for something to be read before it can start. */
export function refersToSources(pod: Pick<Pod, "spec">): boolean {
  const { configMaps, secrets } = sourceNames(pod);
  return configMaps.size + secrets.size > 0;
}

/** Reads what the pod refers to, as it is now. What does not exist is left out: it may be optional. */
export async function loadSources(client: KubeClient, pod: Stored<Pod>): Promise<PodSources> {
  const { namespace } = pod.metadata;
  const names = sourceNames(pod);
  const [configMaps, secrets] = await Promise.all([
    loadAll<ConfigMap>(client, ConfigMapKind, namespace, names.configMaps),
    loadAll<Secret>(client, SecretKind, namespace, names.secrets),
  ]);
  return {
    configMap: (name) => {
      const found = configMaps.get(name);
      return found === undefined ? undefined : (found.data ?? {});
    },
    secret: (name) => {
      const found = secrets.get(name);
      if (found === undefined) return undefined;
      const entries = Object.entries(found.data ?? {});
      return Object.fromEntries(entries.map(([key, text]) => [key, Buffer.from(text, "base64")]));
    },
  };
}

async function loadAll<T extends KubeObject>(
  client: KubeClient,
  kind: Kind<T>,
  namespace: string,
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Stored<T>>> {
  const found = new Map<string, Stored<T>>();
  const load = async (name: string): Promise<void> => {
    try {
      found.set(name, await client.get(kind, { namespace, name }));
    } catch (error) {
      if (!isKubeError(error, "NotFound")) throw error;
    }
  };
  await Promise.all([...names].map(load));
  return found;
}

function sourceNames({ spec }: Pick<Pod, "spec">): {
  readonly configMaps: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
} {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
    addVariables(container, configMaps, secrets);
  }
  for (const { configMap, secret } of spec.volumes ?? []) {
    if (configMap !== undefined) configMaps.add(configMap.name);
    if (secret !== undefined) secrets.add(secret.secretName);
  }
  return { configMaps, secrets };
}

function addVariables(
  { env = [], envFrom = [] }: Container,
  configMaps: Set<string>,
  secrets: Set<string>,
): void {
  for (const { valueFrom } of env) {
    if (valueFrom?.configMapKeyRef !== undefined) configMaps.add(valueFrom.configMapKeyRef.name);
    if (valueFrom?.secretKeyRef !== undefined) secrets.add(valueFrom.secretKeyRef.name);
  }
  for (const { configMapRef, secretRef } of envFrom) {
    if (configMapRef !== undefined) configMaps.add(configMapRef.name);
    if (secretRef !== undefined) secrets.add(secretRef.name);
  }
}
