import type { ServingContainer, ServingSpec } from "./pod-spec.ts";
import type { AdmissionSettings } from "./settings.ts";

type Members = Readonly<Record<string, unknown>>;

/** Ports below this one are for programs that may bind them. */
const PRIVILEGED_PORTS_END = 1_024;

/**
 * What the feature `secure-pod-defaults` adds to a container's security context, each where neither it nor the pod says
 * anything: `enabled` forbids root as well, `allowrootbounded` does not. §14.2. A home enforces none of it (C-167).
 */
export function securityDefaults(
  container: ServingContainer,
  spec: ServingSpec,
  mode: AdmissionSettings["securePodDefaults"],
): Pick<ServingContainer, "securityContext"> {
  if (mode === "disabled") return {};
  const own = container.securityContext ?? {};
  const pod = membersOf(Reflect.get(spec, "securityContext"));
  const defaults: Members = {
    allowPrivilegeEscalation: false,
    ...(pod.seccompProfile === undefined ? { seccompProfile: { type: "RuntimeDefault" } } : {}),
    capabilities: { drop: ["ALL"], ...(bindsPrivilegedPort(container) ? { add: ["NET_BIND_SERVICE"] } : {}) },
    ...(mode === "enabled" && pod.runAsNonRoot === undefined ? { runAsNonRoot: true } : {}),
  };
  return { securityContext: { ...defaults, ...own } };
}

function bindsPrivilegedPort({ ports = [] }: ServingContainer): boolean {
  return ports.some(({ containerPort = 0 }) => containerPort > 0 && containerPort < PRIVILEGED_PORTS_END);
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
