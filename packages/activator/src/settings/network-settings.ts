import type { ConfigMap, Logger } from "@rouse/shared";

/** How requests reach pods.. */
export type MeshAccess =
  /** Directly. */
  | "none"
  /** Directly, unless it turns out that only their Service leads to them. A-58 */
  | "auto"
  /** By the ClusterIP of their Service. */
  | "service"
  /** By their own addresses, named by their Service. */
  | "passthrough";

/** What `config-network` says to the activator; read once, at start. */
export interface NetworkSettings {
  readonly mesh: MeshAccess;
  /** TLS to pods, and a listener that speaks it. A-121 */
  readonly hasTls: boolean;
}

const MODES = ["auto", "enabled", "disabled"];
const TLS = ["enabled", "disabled", ""];

/**
 * | mesh-compatibility-mode | enable-mesh-pod-addressability | access |
 * |---|---|---|
 * | any | true | by pods' addresses, named by their Service |
 * | enabled | not true | by the ClusterIP of their Service |
 * | auto or absent | not true | directly, unless a mesh shows |
 * | disabled | not true | directly |
 *
 * TLS is on when `system-internal-tls` says so, or when the older `internal-encryption` does.
 * @throws Error for a value that is none of those there are
 */
export function parseNetworkSettings(data: NonNullable<ConfigMap["data"]>, log: Logger): NetworkSettings {
  const read = (key: string): string => (data[key] ?? "").trim().toLowerCase();
  const mode = read("mesh-compatibility-mode") || "auto";
  if (!MODES.includes(mode)) throw wrong("mesh-compatibility-mode", "auto, enabled or disabled", mode);
  const tls = read("system-internal-tls");
  if (!TLS.includes(tls)) throw wrong("system-internal-tls", "Enabled or Disabled", tls);
  const hasTls = tls === "enabled" || read("internal-encryption") === "true";
  const isAddressable = read("enable-mesh-pod-addressability") === "true";
  if (isAddressable && mode === "enabled") {
    log.warn("config-network: pods are addressable, so mesh-compatibility-mode enabled has no effect");
  }
  if (isAddressable) return { mesh: "passthrough", hasTls };
  return { mesh: mode === "enabled" ? "service" : mode === "auto" ? "auto" : "none", hasTls };
}

function wrong(key: string, wanted: string, given: string): Error {
  return new Error(`config-network: ${key} is to be ${wanted}, not "${given}"`);
}
