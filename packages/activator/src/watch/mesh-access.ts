import { type ConfigMap, ConfigMapKind, isKubeError, type KubeClient, type Logger } from "@rouse/shared";

/** How requests reach pods.. */
export type MeshAccess =
  /** Directly. */
  | "none"
  /** By the ClusterIP of their Service. */
  | "service"
  /** By their own addresses, named by their Service. */
  | "passthrough";

/**
 * How requests reach pods, from `config-network`, read once at start (A-7, A-8):
 *
 * | mesh-compatibility-mode | enable-mesh-pod-addressability | access |
 * |---|---|---|
 * | any | true | by pods' addresses, named by their Service |
 * | enabled | not true | by the ClusterIP of their Service |
 * | auto, disabled or absent | not true | directly |
 *
 * `auto` does not look for a mesh: where one forbids direct access, the mode is to be `enabled`.
 * @throws Error when the mode is none of the three
 */
export async function readMeshAccess(
  client: KubeClient,
  { namespace, log }: { readonly namespace: string; readonly log: Logger },
): Promise<MeshAccess> {
  const data = await client.get(ConfigMapKind, { namespace, name: "config-network" }).then(
    (map): NonNullable<ConfigMap["data"]> => map.data ?? {},
    (error: unknown): NonNullable<ConfigMap["data"]> => {
      if (isKubeError(error, "NotFound")) return {};
      throw error;
    },
  );
  const mode = (data["mesh-compatibility-mode"] ?? "auto").trim().toLowerCase();
  if (!["auto", "enabled", "disabled"].includes(mode)) {
    throw new Error(
      `config-network: mesh-compatibility-mode is to be auto, enabled or disabled, not "${mode}"`,
    );
  }
  const isAddressable = (data["enable-mesh-pod-addressability"] ?? "").trim().toLowerCase() === "true";
  if (isAddressable && mode === "enabled") {
    log.warn("config-network: pods are addressable, so mesh-compatibility-mode enabled has no effect");
  }
  if (isAddressable) return "passthrough";
  return mode === "enabled" ? "service" : "none";
}
