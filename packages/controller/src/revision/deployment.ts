import {
  annotations,
  autoscaling,
  childName,
  controllerOf,
  type Deployment,
  labels,
  parseDuration,
  type Revision,
  type Stored,
} from "@rouse/shared";
import { keys } from "../metadata-keys.ts";
import type { Settings } from "../settings/settings.ts";
import { makePodTemplate } from "./pod-template.ts";
import { childLabels, deploymentAnnotations } from "./propagated-metadata.ts";
import { stableHash } from "./stable-hash.ts";

/** C-5. */
export function deploymentName(revisionName: string): string {
  return childName(revisionName, "-deployment");
}

/** The Deployment of a Revision, at its initial scale. Its hash label tells when a later one differs. C-48. */
export function makeDeployment(revision: Stored<Revision>, settings: Settings): Deployment {
  const { name, namespace, uid } = revision.metadata;
  const spec = {
    replicas: initialScale(revision, settings),
    selector: { matchLabels: { [labels.revisionUid]: uid } },
    progressDeadlineSeconds: progressDeadlineSeconds(revision, settings),
    revisionHistoryLimit: 0,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0 } },
    template: makePodTemplate(revision, settings),
  };
  const own = childLabels(revision);
  const ownAnnotations = deploymentAnnotations(revision);
  // The scale at creation is no reason for an update later.
  const hash = stableHash([{ ...spec, replicas: 0 }, own, ownAnnotations]);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: deploymentName(name),
      namespace,
      labels: { ...own, [keys.deploymentHash]: hash },
      annotations: ownAnnotations,
      ownerReferences: [controllerOf(revision)],
    },
    spec,
  };
}

/**
 * What an existing Deployment has to become, or `undefined` if it was made from the same revision and settings. The
 * live scale and selector stay, and so do labels and annotations that others put there. C-50.
 */
export function updatedDeployment(present: Stored<Deployment>, wanted: Deployment): Deployment | undefined {
  const hash = wanted.metadata.labels?.[keys.deploymentHash];
  if (present.metadata.labels?.[keys.deploymentHash] === hash) return undefined;
  const { template } = wanted.spec;
  const presentTemplate = present.spec.template;
  const { replicas } = present.spec;
  return {
    ...present,
    metadata: {
      ...present.metadata,
      labels: merged(present.metadata.labels, wanted.metadata.labels),
      annotations: merged(present.metadata.annotations, wanted.metadata.annotations),
    },
    spec: {
      ...wanted.spec,
      ...(replicas === undefined ? {} : { replicas }),
      selector: present.spec.selector,
      template: {
        ...template,
        metadata: {
          ...template.metadata,
          labels: merged(presentTemplate.metadata?.labels, template.metadata?.labels),
          annotations: merged(presentTemplate.metadata?.annotations, template.metadata?.annotations),
        },
      },
    },
  };
}

type Entries = Readonly<Record<string, string>> | undefined;

/** Ours as wanted, so that stale ones vanish; all others stay. */
function merged(present: Entries, wanted: Entries): Readonly<Record<string, string>> {
  const isOurs = (key: string): boolean =>
    key.includes("knative.dev/") || key.includes("rouse.dev/") || key === labels.app;
  const foreign = Object.entries(present ?? {}).filter(([key]) => !isOurs(key));
  return { ...Object.fromEntries(foreign), ...wanted };
}

/** S-26; a malformed annotation counts as absent (S-16). */
function initialScale(revision: Stored<Revision>, settings: Settings): number {
  const { initialScale: fallback, allowsZeroInitialScale } = settings.autoscaler;
  const given = revision.metadata.annotations;
  const text = given?.[autoscaling.initialScale] ?? given?.[`${autoscaling.prefix}/initialScale`] ?? "";
  if (!/^\d+$/.test(text)) return fallback;
  const scale = Number(text);
  return scale === 0 && !allowsZeroInitialScale ? fallback : scale;
}

/** S-15. */
function progressDeadlineSeconds(revision: Stored<Revision>, settings: Settings): number {
  const ms = parseDuration(revision.metadata.annotations?.[annotations.progressDeadline] ?? "");
  const isValid = ms !== undefined && ms > 0 && ms % 1_000 === 0;
  return isValid ? ms / 1_000 : settings.deployment.progressDeadlineSeconds;
}
