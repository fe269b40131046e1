import {
  apiVersion,
  autoscaling,
  controllerOf,
  type Metric,
  MetricKind,
  type ObjectMeta,
  type PodAutoscaler,
  panicWindowSeconds,
  type ServerlessService,
  ServerlessServiceKind,
  type Stored,
} from "@rouse/shared";
import { UNLIMITED_BURST } from "../config/autoscaler-config.ts";
import type { RevisionSettings } from "../config/revision-settings.ts";

const MS_IN_NS = 1e6;

/** What a pass wants of the ServerlessService. */
export interface WantedMode {
  readonly mode: "Serve" | "Proxy";
  readonly activators: number;
}

export function serverlessServiceSpec(
  autoscaler: PodAutoscaler,
  wanted: WantedMode,
): ServerlessService["spec"] {
  return {
    mode: wanted.mode,
    objectRef: autoscaler.spec.scaleTargetRef,
    protocolType: autoscaler.spec.protocolType,
    numActivators: wanted.activators,
  };
}

/** Labels and annotations are the autoscaler's, but for the metric. K-12. */
export function makeServerlessService(
  autoscaler: Stored<PodAutoscaler>,
  wanted: WantedMode,
): ServerlessService {
  const { [autoscaling.metric]: _, ...annotations } = autoscaler.metadata.annotations ?? {};
  return {
    apiVersion: apiVersion(ServerlessServiceKind),
    kind: ServerlessServiceKind.kind,
    metadata: ownedMeta(autoscaler, annotations),
    spec: serverlessServiceSpec(autoscaler, wanted),
  };
}

/** S-23, S-56, S-66. Nothing is scraped where the activator sees all traffic. */
export function metricSpec(settings: RevisionSettings, metricsServiceName: string): Metric["spec"] {
  const { stableWindowMs, panicWindowPercentage } = settings;
  return {
    stableWindow: stableWindowMs * MS_IN_NS,
    panicWindow: panicWindowSeconds(stableWindowMs, panicWindowPercentage) * 1_000 * MS_IN_NS,
    scrapeTarget: settings.targetBurstCapacity === UNLIMITED_BURST ? "" : metricsServiceName,
  };
}

/** S-65. */
export function makeMetric(autoscaler: Stored<PodAutoscaler>, spec: Metric["spec"]): Metric {
  return {
    apiVersion: apiVersion(MetricKind),
    kind: MetricKind.kind,
    metadata: ownedMeta(autoscaler, autoscaler.metadata.annotations ?? {}),
    spec,
  };
}

function ownedMeta(
  autoscaler: Stored<PodAutoscaler>,
  annotations: Readonly<Record<string, string>>,
): ObjectMeta {
  const { namespace, name, labels } = autoscaler.metadata;
  return {
    namespace,
    name,
    labels: labels ?? {},
    annotations,
    ownerReferences: [controllerOf(autoscaler)],
  };
}
