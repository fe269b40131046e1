import {
  type Container,
  childName,
  labels,
  parseDuration,
  portNames,
  type Revision,
  type RevisionKey,
  revisionKey,
  rouse,
} from "@rouse/shared";
import type { LoadBalancing } from "../balance/policy.ts";

/** What the data path must know about a revision. Immutable, as revisions are, but for the wait limit. */
export interface RevisionTarget {
  readonly key: RevisionKey;
  readonly namespace: string;
  readonly name: string;
  /** Of whose service and configuration it is, for metrics; empty when its labels do not say. */
  readonly service: string;
  readonly configuration: string;
  /** Its private Service, as `name.namespace`. A-6. */
  readonly privateService: string;
  /** 0 = unlimited. */
  readonly containerConcurrency: number;
  /** Which port of its Endpoints carries its protocol. A-9. */
  readonly portName: string;
  /** From arrival to the last byte, the wait included. */
  readonly timeoutMs: number;
  /** 0 = off. */
  readonly responseStartTimeoutMs: number;
  /** 0 = off. */
  readonly idleTimeoutMs: number;
  /** Longest time a request may be held; the least of all limits that run while it waits. */
  readonly waitMs: number;
  readonly loadBalancing: LoadBalancing;
  /** Whether its answers say what their requests waited for. */
  readonly hasServerTiming: boolean;
  /** Whether a pod Kubernetes does not call ready yet may be used once its queue-proxy does. A-54. */
  readonly isUsableBeforeReady: boolean;
}

/** */
const TIMEOUT_SECONDS_DEFAULT = 300;
const SECOND_MS = 1_000;

export function revisionTarget(revision: Revision): RevisionTarget {
  const { metadata, spec } = revision;
  const namespace = metadata.namespace ?? "";
  const timeoutMs = (spec.timeoutSeconds ?? TIMEOUT_SECONDS_DEFAULT) * SECOND_MS;
  const responseStartTimeoutMs = (spec.responseStartTimeoutSeconds ?? 0) * SECOND_MS;
  const idleTimeoutMs = (spec.idleTimeoutSeconds ?? 0) * SECOND_MS;
  const maxWaitMs = parseDuration(metadata.annotations?.[rouse.maxWait] ?? "0") ?? 0;
  const limits = [timeoutMs, responseStartTimeoutMs, idleTimeoutMs, maxWaitMs].filter(
    (limitMs) => limitMs > 0,
  );
  return {
    key: revisionKey({ namespace, name: metadata.name }),
    namespace,
    name: metadata.name,
    privateService: `${childName(metadata.name, "-private")}.${namespace}`,
    service: metadata.labels?.[labels.service] ?? "",
    configuration: metadata.labels?.[labels.configuration] ?? "",
    containerConcurrency: Math.max(0, spec.containerConcurrency ?? 0),
    portName: isH2c(spec.containers) ? portNames.h2c : portNames.http,
    timeoutMs,
    responseStartTimeoutMs,
    idleTimeoutMs,
    waitMs: Math.min(...limits),
    loadBalancing:
      metadata.annotations?.[rouse.loadBalancing] === "least-loaded" ? "least-loaded" : "contract",
    hasServerTiming: metadata.annotations?.[rouse.serverTiming] === "enabled",
    isUsableBeforeReady: spec.containers.every(
      ({ readinessProbe, startupProbe }) => readinessProbe?.exec === undefined && startupProbe === undefined,
    ),
  };
}

/** The serving container is the only one, or the first with ports; its first port's name says the protocol. A-9. */
function isH2c(containers: readonly Container[]): boolean {
  const serving =
    containers.length === 1 ? containers[0] : containers.find(({ ports = [] }) => ports.length > 0);
  return serving?.ports?.[0]?.name === "h2c";
}
