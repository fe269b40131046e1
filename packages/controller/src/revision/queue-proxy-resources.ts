import { type Container, formatMilli, parseMilli, type Revision, type Stored } from "@rouse/shared";
import { keys } from "../metadata-keys.ts";
import type { Settings } from "../settings/settings.ts";
import { servingContainer } from "./user-port.ts";

export const resourceNames = ["cpu", "memory", "ephemeral-storage"] as const;
export type ResourceName = (typeof resourceNames)[number];
type Side = "requests" | "limits";

/** Quantities by resource, as Kubernetes writes them. */
export type Resources = { readonly [S in Side]?: Readonly<Partial<Record<ResourceName, string>>> };

/** What the feature `queueproxy.resource-defaults` gives. Q-166 */
const FEATURE_DEFAULTS: Resources = {
  requests: { cpu: "25m", memory: "400Mi" },
  limits: { cpu: "1", memory: "800Mi" },
};
/** Least and most a percentage of the user's resources comes to. Q-167 */
const CLAMPS: { readonly [S in Side]: Readonly<Partial<Record<ResourceName, readonly [string, string]>>> } = {
  requests: { cpu: ["25m", "100m"], memory: ["50Mi", "200Mi"] },
  limits: { cpu: ["40m", "500m"], memory: ["200Mi", "500Mi"] },
};

/**
 * Resources of the queue-proxy container; each of these goes before those above it: the feature's defaults, the
 * ConfigMap, a percentage of the serving container's, the revision's own annotations. C-55, Q-166, Q-167
 */
export function queueProxyResources(revision: Stored<Revision>, settings: Settings): Resources {
  const layers: readonly Resources[] = [
    settings.features.queueProxyResourceDefaults ? FEATURE_DEFAULTS : {},
    settings.deployment.queueSidecarResources,
    ofPercentage(revision),
    ofAnnotations(revision),
  ];
  const requests = Object.assign({}, ...layers.map((layer) => layer.requests));
  const limits = Object.assign({}, ...layers.map((layer) => layer.limits));
  return {
    ...(Object.keys(requests).length === 0 ? {} : { requests }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
}

function ofPercentage(revision: Stored<Revision>): Resources {
  const own = revision.metadata.annotations;
  const percentage = Number(own?.[keys.resourcePercentage] ?? own?.[keys.resourcePercentageOld] ?? "");
  if (!(percentage >= 0.1 && percentage <= 100)) return {};
  const serving = servingContainer(revision.spec);
  return { requests: shares("requests"), limits: shares("limits") };

  function shares(side: Side): Partial<Record<ResourceName, string>> {
    const found: Partial<Record<ResourceName, string>> = {};
    for (const [name, [least, most]] of Object.entries(CLAMPS[side])) {
      const whole = parseMilli(quantityOf(serving, side, name) ?? "") ?? 0n;
      if (whole === 0n) continue;
      // In tens of thousandths of a percent, so that 0.1 % stays exact.
      const share = (whole * BigInt(Math.round(percentage * 10_000))) / 1_000_000n;
      const bounds = [parseMilli(least) ?? 0n, parseMilli(most) ?? 0n] as const;
      const kept = share < bounds[0] ? bounds[0] : share > bounds[1] ? bounds[1] : share;
      if (isResource(name)) found[name] = formatMilli(kept, name === "cpu" ? "cpu" : "bytes");
    }
    return found;
  }
}

function ofAnnotations({ metadata }: Stored<Revision>): Resources {
  const side = (which: "request" | "limit"): Partial<Record<ResourceName, string>> => {
    const found: Partial<Record<ResourceName, string>> = {};
    for (const name of resourceNames) {
      const text = metadata.annotations?.[`${keys.queueSidecarPrefix}${name}-resource-${which}`];
      if (text !== undefined && parseMilli(text) !== undefined) found[name] = text;
    }
    return found;
  };
  return { requests: side("request"), limits: side("limit") };
}

/** `resources` is any object a user wrote; only texts and numbers under the right names count. */
function quantityOf(container: Container | undefined, side: Side, name: string): string | undefined {
  const resources = container?.resources;
  const given: unknown =
    typeof resources === "object" && resources !== null ? Reflect.get(resources, side) : undefined;
  const value: unknown = typeof given === "object" && given !== null ? Reflect.get(given, name) : undefined;
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

function isResource(name: string): name is ResourceName {
  return resourceNames.some((one) => one === name);
}
