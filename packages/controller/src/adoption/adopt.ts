import { autoscaling, type Deployment, labels, type PodAutoscaler, rouse, type Stored } from "@rouse/shared";

/** Labels and annotations to be merged into an object; `null` takes one away. */
export interface MetadataPatch {
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
}

export interface DeploymentPatch {
  readonly metadata: MetadataPatch;
  readonly spec: { readonly replicas?: number; readonly template: { readonly metadata: MetadataPatch } };
}

/** By these everything that belongs to one revision finds one another. The PodAutoscaler's name stands for it. S-3, S-78 */
const NAMING = [labels.service, labels.configuration, labels.revision] as const;

/** Whether a PodAutoscaler is made by hand, for a Deployment to be scaled from zero. */
export function isAdopting({ metadata }: PodAutoscaler): boolean {
  const isOwned = metadata.ownerReferences?.some(({ controller }) => controller === true) === true;
  return (
    metadata.annotations?.[rouse.inject] === "true" && !isOwned && metadata.deletionTimestamp === undefined
  );
}

/** What a PodAutoscaler lacks of what the autoscaler and the activator go by; `undefined` if nothing. */
export function autoscalerPatch(
  autoscaler: Stored<PodAutoscaler>,
  deployment: Deployment | undefined,
): { readonly metadata: MetadataPatch } | undefined {
  const { metadata } = autoscaler;
  const readyBy = deployment !== undefined && isReadyByKubernetes(deployment) ? "kubernetes" : undefined;
  const missing = {
    labels: missingOf(metadata.labels, naming(metadata.name)),
    annotations: {
      ...missingOf(metadata.annotations, { [autoscaling.class]: autoscaling.kpaClass }, "unless-there"),
      ...(metadata.annotations?.[rouse.readyBy] === readyBy || deployment === undefined
        ? {}
        : { [rouse.readyBy]: readyBy ?? null }),
    },
  };
  const isNothing = Object.keys({ ...missing.labels, ...missing.annotations }).length === 0;
  return isNothing ? undefined : { metadata: missing };
}

/**
 * What a Deployment lacks: names on it, by which it is watched, and on its pods, which start anew with a queue-proxy.
 * How many replicas it had is written down, for the day it is let go.
 */
export function adoptionPatch(
  deployment: Stored<Deployment>,
  autoscaler: Stored<PodAutoscaler>,
): DeploymentPatch | undefined {
  const { name } = autoscaler.metadata;
  const { metadata, spec } = deployment;
  const own = missingOf(metadata.labels, naming(name));
  const ofPods = missingOf(spec.template.metadata?.labels, { ...naming(name), [rouse.inject]: "true" });
  if (Object.keys({ ...own, ...ofPods }).length === 0) return undefined;
  const replicas = String(Math.max(1, spec.replicas ?? 1));
  return {
    metadata: {
      labels: own,
      annotations: missingOf(metadata.annotations, { [rouse.replicasBefore]: replicas }, "unless-there"),
    },
    spec: { template: { metadata: { labels: ofPods } } },
  };
}

/** Brings a Deployment back to what it was before it was scaled by the PodAutoscaler of that name. */
export function releasePatch(deployment: Stored<Deployment>): DeploymentPatch {
  const taken = Object.fromEntries(NAMING.map((label) => [label, null]));
  const before = Number(deployment.metadata.annotations?.[rouse.replicasBefore] ?? 1);
  return {
    metadata: { labels: taken, annotations: { [rouse.replicasBefore]: null } },
    spec: {
      replicas: Number.isInteger(before) && before > 0 ? before : 1,
      template: { metadata: { labels: { ...taken, [rouse.inject]: null } } },
    },
  };
}

/** Whether it is one of ours: what a Revision owns is not. */
export function isAdopted({ metadata, spec }: Deployment): boolean {
  return (
    metadata.annotations?.[rouse.replicasBefore] !== undefined &&
    spec.template.metadata?.labels?.[rouse.inject] === "true"
  );
}

/** A54: then queue-proxy's own word is not enough. */
function isReadyByKubernetes({ spec }: Deployment): boolean {
  return spec.template.spec.containers.some(
    ({ readinessProbe, startupProbe }) => readinessProbe?.exec !== undefined || startupProbe !== undefined,
  );
}

function naming(name: string): Readonly<Record<string, string>> {
  return Object.fromEntries(NAMING.map((label) => [label, name]));
}

function missingOf(
  present: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>>,
  when: "different" | "unless-there" = "different",
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) =>
      when === "different" ? present?.[key] !== value : present?.[key] === undefined,
    ),
  );
}
