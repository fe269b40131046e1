import {
  autoscaling,
  controllerOf,
  type Deployment,
  type PodAutoscaler,
  type Revision,
  rouse,
  type Stored,
  semanticEqual,
} from "@rouse/shared";
import { routingState } from "../metadata-keys.ts";
import type { Settings } from "../settings/settings.ts";
import { deploymentName } from "./deployment.ts";
import { autoscalerAnnotations, childLabels } from "./propagated-metadata.ts";
import { protocolOf } from "./user-port.ts";

export type Reachability = NonNullable<PodAutoscaler["spec"]["reachability"]>;

/** The PodAutoscaler of a Revision. C-56. */
export function makePodAutoscaler(
  revision: Stored<Revision>,
  settings: Settings,
  reachability: Reachability,
): PodAutoscaler {
  const { name, namespace } = revision.metadata;
  return {
    apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
    kind: "PodAutoscaler",
    metadata: {
      name,
      namespace,
      labels: childLabels(revision),
      annotations: {
        [autoscaling.class]: settings.autoscaler.podAutoscalerClass,
        ...autoscalerAnnotations(revision),
        // A program with a port of its own cannot run twice on one machine.
        ...(hasFixedPort(revision) ? { [autoscaling.maxScale]: "1" } : {}),
      },
      ownerReferences: [controllerOf(revision)],
    },
    spec: {
      containerConcurrency: revision.spec.containerConcurrency ?? 0,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deploymentName(name) },
      protocolType: protocolOf(revision.spec),
      reachability,
    },
  };
}

/**
 * What an existing PodAutoscaler has to become, or `undefined`. Annotations follow the revision: those it lost
 * vanish if they are about scaling, others may be somebody else's. S-17.
 */
export function updatedPodAutoscaler(
  present: Stored<PodAutoscaler>,
  wanted: PodAutoscaler,
): PodAutoscaler | undefined {
  const kept = Object.entries(present.metadata.annotations ?? {}).filter(
    ([key]) =>
      !key.startsWith(`${autoscaling.prefix}/`) || key === autoscaling.class || key === autoscaling.metric,
  );
  const { [autoscaling.class]: wantedClass = "", ...rest } = wanted.metadata.annotations ?? {};
  // The class of a PodAutoscaler was settled when it was made: a new default is for new ones.
  const annotations = { [autoscaling.class]: wantedClass, ...Object.fromEntries(kept), ...rest };
  const isSame =
    semanticEqual(present.spec, wanted.spec) && semanticEqual(present.metadata.annotations, annotations);
  return isSame
    ? undefined
    : { ...present, metadata: { ...present.metadata, annotations }, spec: wanted.spec };
}

/** S-25: whether traffic can reach the revision, or `Unreachable` while none of its pods gets up. */
export function reachability(
  revision: Stored<Revision>,
  deployment: Stored<Deployment> | undefined,
  isFailing: boolean,
): Reachability {
  const wanted = deployment?.spec.replicas ?? 0;
  if (isFailing && wanted > 0 && (deployment?.status?.readyReplicas ?? 0) === 0) return "Unreachable";
  switch (routingState(revision)) {
    case "active":
      return "Reachable";
    case "reserve":
      return "Unreachable";
    case "pending":
      return "";
  }
}

/** Design §9. */
export function hasFixedPort(revision: Stored<Revision>): boolean {
  return revision.metadata.annotations?.[rouse.fixedPort] === "true";
}
