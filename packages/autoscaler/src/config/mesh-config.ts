import {
  type ConfigMap,
  ConfigMapKind,
  isKubeError,
  type KubeClient,
  type Stored,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import { read } from "./values.ts";

/** How load is asked for. `auto`: of the pods, and of their Service once only a mesh answers. S-51. */
export type MeshMode = "auto" | "enabled" | "disabled";

/** What the autoscaler needs of `config-network`. S-51, S-52. */
export interface MeshConfig {
  readonly mode: MeshMode;
  /** Pods are addressed through the mesh, by their Service's name. */
  readonly isPassthrough: boolean;
}

const defaultMeshConfig: MeshConfig = { mode: "auto", isPassthrough: false };

/** Read once, at start: a change needs a restart. Anything malformed counts as not set. S-6, S-54. */
export async function readMeshConfig(client: KubeClient): Promise<MeshConfig> {
  let map: Stored<ConfigMap>;
  try {
    map = await client.get(ConfigMapKind, { namespace: SYSTEM_NAMESPACE, name: "config-network" });
  } catch (error) {
    if (isKubeError(error, "NotFound")) return defaultMeshConfig;
    throw error;
  }
  const mode = map.data?.["mesh-compatibility-mode"]?.trim();
  return {
    mode: mode === "enabled" || mode === "disabled" ? mode : "auto",
    isPassthrough: read.boolean(map.data?.["enable-mesh-pod-addressability"]?.trim() ?? "") ?? false,
  };
}
