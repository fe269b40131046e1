import { annotations, autoscaling, labels, type Revision, type Stored } from "@rouse/shared";
import { keys, without } from "../metadata-keys.ts";

/** Routing bookkeeping, which would change what is below a Revision each time traffic moves. C-8. */
const BOOKKEEPING = [
  keys.lastPinned,
  keys.noGc,
  annotations.routingStateModified,
  annotations.routes,
  annotations.lastApplied,
];

/** Labels of everything below a Revision. C-8. */
export function childLabels(revision: Stored<Revision>): Readonly<Record<string, string>> {
  const { name, uid } = revision.metadata;
  return {
    [labels.app]: name,
    ...without(revision.metadata.labels, [labels.route, labels.routingState]),
    [labels.revision]: name,
    [labels.revisionUid]: uid,
  };
}

/** Annotations of the PodAutoscaler: scaling ones too. C-8. */
export function autoscalerAnnotations(revision: Stored<Revision>): Readonly<Record<string, string>> {
  return without(revision.metadata.annotations, BOOKKEEPING);
}

/** Annotations of Deployment and pods: scaling ones left out, so that changing them restarts nothing. C-8. */
export function deploymentAnnotations(revision: Stored<Revision>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(autoscalerAnnotations(revision)).filter(([key]) => !key.startsWith(autoscaling.prefix)),
  );
}
