import { type FieldError, fieldErrors, type Probe, under } from "@rouse/shared";
import { type ProbeName, probeHandlers, probeNames, type ServingContainer } from "./pod-spec.ts";

/** Probes of one container; paths are relative to it. §14.4 */
export function validateProbes(
  container: ServingContainer,
  { isServing, allowsSidecarProbes }: { readonly isServing: boolean; readonly allowsSidecarProbes: boolean },
): readonly FieldError[] {
  return probeNames.flatMap((name) => {
    const probe = container[name];
    if (probe === undefined) return [];
    if (!isServing && !allowsSidecarProbes) return [fieldErrors.disallowed(name)];
    return under(name, [
      ...validateHandler(probe),
      ...(isServing ? validatePort(probe, container) : []),
      ...(isServing && name === "readinessProbe" ? validateReadiness(probe) : []),
    ]);
  });
}

function validateHandler(probe: Probe): readonly FieldError[] {
  const handlers = probeHandlers.filter((handler) => probe[handler] !== undefined);
  if (handlers.length === 1) return [];
  return [handlers.length === 0 ? fieldErrors.neither(...probeHandlers) : fieldErrors.both(...handlers)];
}

/** A port given by name is the container's own, which is called `http` where it has no name. */
function validatePort(probe: Probe, container: ServingContainer): readonly FieldError[] {
  const own = container.ports?.[0]?.name || "http";
  return (["httpGet", "tcpSocket"] as const).flatMap((handler) => {
    const port = probe[handler]?.port;
    const isOther = typeof port === "string" && port !== own;
    return isOther ? [fieldErrors.invalid(port, `${handler}.port`)] : [];
  });
}

const ANY_MAX = 2 ** 31 - 1;

function validateReadiness(probe: Probe): readonly FieldError[] {
  const { successThreshold = 0, periodSeconds = 0, initialDelaySeconds = 0 } = probe;
  const { failureThreshold = 0, timeoutSeconds = 0 } = probe;
  const atLeast = (min: number, value: number, name: string): readonly FieldError[] =>
    value < min ? [fieldErrors.range(value, [min, ANY_MAX], name)] : [];
  const errors = [
    ...atLeast(1, successThreshold, "successThreshold"),
    ...atLeast(0, periodSeconds, "periodSeconds"),
    ...atLeast(0, initialDelaySeconds, "initialDelaySeconds"),
  ];
  if (periodSeconds !== 0) {
    return [
      ...errors,
      ...atLeast(1, failureThreshold, "failureThreshold"),
      ...atLeast(1, timeoutSeconds, "timeoutSeconds"),
    ];
  }
  const why = "is disallowed when periodSeconds is zero";
  return [
    ...errors,
    ...(failureThreshold === 0 ? [] : [fieldErrors.text(`failureThreshold ${why}`, "failureThreshold")]),
    ...(timeoutSeconds === 0 ? [] : [fieldErrors.text(`timeoutSeconds ${why}`, "timeoutSeconds")]),
  ];
}

/** What a probe may be called, for those that look for one. */
export function hasProbe(container: ServingContainer): ProbeName | undefined {
  return probeNames.find((name) => container[name] !== undefined);
}
