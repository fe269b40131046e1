import { type Container, type Probe, type RevisionSpec, servingIndexOrFirst } from "@rouse/shared";
import type { Settings } from "../settings/settings.ts";

/**
 * A revision spec with what its author left out: names, timeouts, concurrency, the readiness probe (C §14.2). Applied
 * once, when a Revision is made: its spec never changes afterwards. Applying it again changes nothing.
 */
export function defaultRevisionSpec(spec: RevisionSpec, settings: Settings): RevisionSpec {
  const { defaults } = settings;
  const timeoutSeconds = spec.timeoutSeconds || defaults.timeoutSeconds; // 0 counts as absent
  const named = nameContainers(spec.containers, defaults.containerName);
  const serving = servingIndexOrFirst(named);
  return {
    ...spec,
    containers: named.map((container, index) =>
      index === serving
        ? { ...container, readinessProbe: defaultProbe(container.readinessProbe) }
        : container,
    ),
    containerConcurrency: spec.containerConcurrency ?? defaults.containerConcurrency,
    timeoutSeconds,
    ...below("responseStartTimeoutSeconds", spec, defaults.responseStartTimeoutSeconds, timeoutSeconds),
    ...below("idleTimeoutSeconds", spec, defaults.idleTimeoutSeconds, timeoutSeconds),
  };
}

/** A default is taken only where it can fire before the whole request times out. CV-2. */
function below(
  field: "responseStartTimeoutSeconds" | "idleTimeoutSeconds",
  spec: RevisionSpec,
  fallback: number,
  timeoutSeconds: number,
): Partial<RevisionSpec> {
  if (spec[field] !== undefined || fallback === 0 || fallback >= timeoutSeconds) return {};
  return { [field]: fallback };
}

/** One nameless container gets the plain name, several get the first free numbers. CV-3. */
function nameContainers(containers: readonly Container[], base: string): readonly Container[] {
  const taken = new Set(containers.map(({ name }) => name ?? ""));
  if (containers.length === 1 && taken.has("")) return containers.map((one) => ({ ...one, name: base }));
  let number = 0;
  return containers.map((container) => {
    if ((container.name ?? "") !== "") return container;
    while (taken.has(`${base}-${number}`)) number++;
    return { ...container, name: `${base}-${number++}` };
  });
}

/** CV-4. */
function defaultProbe(given: Probe | undefined): Probe {
  const probe: Probe = given ?? {};
  const hasHandler =
    probe.httpGet !== undefined ||
    probe.tcpSocket !== undefined ||
    probe.grpc !== undefined ||
    probe.exec !== undefined;
  const isPeriodic = (probe.periodSeconds ?? 0) !== 0;
  return {
    ...probe,
    ...(hasHandler ? {} : { tcpSocket: { port: 0 } }),
    ...(probe.grpc !== undefined && probe.grpc.service === undefined
      ? { grpc: { ...probe.grpc, service: "" } }
      : {}),
    successThreshold: probe.successThreshold || 1,
    ...(isPeriodic
      ? { failureThreshold: probe.failureThreshold || 3, timeoutSeconds: probe.timeoutSeconds || 1 }
      : {}),
  };
}
