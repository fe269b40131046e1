import { ConditionSet, type Ingress, rfc3339, type Stored, type WallMs } from "@rouse/shared";

/** What has become of an Ingress. */
export type IngressVerdict =
  /** Its rules are in force. */
  | { readonly kind: "live" }
  /** A backend has no ready address yet, so what was in force before still is (C-113). */
  | { readonly kind: "waiting"; readonly backend: string }
  /** Another Ingress has one of its hosts (C-106). */
  | { readonly kind: "conflict"; readonly host: string };

export interface IngressStatusOptions {
  readonly now: WallMs;
  /** Where this gateway is reached. */
  readonly ip: string;
}

/** The status an Ingress should have. C-103, C-126. */
export function ingressStatus(
  ingress: Stored<Ingress>,
  verdict: IngressVerdict,
  { now, ip }: IngressStatusOptions,
): NonNullable<Ingress["status"]> {
  const conditions = new ConditionSet(
    "Ready",
    ["LoadBalancerReady", "NetworkConfigured"],
    ingress.status?.conditions,
  );
  conditions.set("NetworkConfigured", { status: "True" });
  switch (verdict.kind) {
    case "live":
      conditions.set("LoadBalancerReady", { status: "True" });
      break;
    case "waiting":
      conditions.set("LoadBalancerReady", {
        status: "Unknown",
        reason: "Uninitialized",
        message: `Waiting for a ready endpoint of service "${verdict.backend}"`,
      });
      break;
    case "conflict":
      conditions.set("LoadBalancerReady", {
        status: "False",
        reason: "DomainConflict",
        message: `The host "${verdict.host}" belongs to another ingress`,
      });
      break;
  }
  const balancer = { ingress: [{ ip }] };
  return {
    ...ingress.status,
    observedGeneration: ingress.metadata.generation,
    conditions: conditions.list(rfc3339(now)),
    ...(verdict.kind === "live" ? { publicLoadBalancer: balancer, privateLoadBalancer: balancer } : {}),
  };
}
