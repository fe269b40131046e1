import { labels } from "@rouse/shared";

/** Label and annotation keys that only the control plane reads; the rest is in `shared`. C §3. */
export const keys = {
  deploymentHash: "serving.knative.dev/deployment-hash",
  noGc: "serving.knative.dev/no-gc",
  lastPinned: "serving.knative.dev/lastPinned",
  rolloutDuration: "serving.knative.dev/rollout-duration",
  rolloutDurationOld: "serving.knative.dev/rolloutDuration",
  ingressClassOld: "networking.knative.dev/ingress-class",
  certificateClassOld: "networking.knative.dev/certificate-class",
  httpOption: "networking.knative.dev/httpOption",
  httpOptionOld: "networking.knative.dev/http-protocol",
  rollout: "networking.internal.knative.dev/rollout",
  tagToHost: "networking.internal.knative.dev/tag-to-host",
  domainMappingUid: "serving.knative.dev/domainMappingUID",
  domainMappingNamespace: "serving.knative.dev/domainMappingNamespace",
  queueSidecarPrefix: "queue.sidecar.serving.knative.dev/",
  resourcePercentage: "queue.sidecar.serving.knative.dev/resource-percentage",
  resourcePercentageOld: "queue.sidecar.serving.knative.dev/resourcePercentage",
  fullDuplex: "features.knative.dev/http-full-duplex",
} as const;

/** Finalizer the labeler puts on every Route. C-12. */
export const ROUTE_FINALIZER = "routes.serving.knative.dev";

export type RoutingState = "pending" | "active" | "reserve";

export function routingState(object: {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
}): RoutingState {
  const state = object.metadata.labels?.[labels.routingState];
  return state === "active" || state === "reserve" ? state : "pending";
}

type Entries = Readonly<Record<string, string>>;

/** The entries but those with one of `dropped`. */
export function without(entries: Entries | undefined, dropped: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(entries ?? {}).filter(([key]) => !dropped.includes(key)));
}

/** The entries that have a value. */
export function nonEmpty(entries: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries(entries)) {
    if (value !== undefined && value !== "") kept[key] = value;
  }
  return kept;
}

/** Names of a comma-separated list, as the routes annotation holds them. */
export function splitNames(text: string | undefined): ReadonlySet<string> {
  return new Set((text ?? "").split(",").filter((name) => name !== ""));
}

/** The comma-separated list of names, sorted; `undefined` for none. */
export function joinNames(names: ReadonlySet<string>): string | undefined {
  return names.size === 0 ? undefined : [...names].sort().join(",");
}
