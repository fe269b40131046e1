import {
  annotations,
  type Configuration,
  controllerOf,
  type KnativeService,
  labels,
  type Route,
  type Stored,
  type TrafficTarget,
} from "@rouse/shared";
import { joinNames, keys, splitNames, without } from "../metadata-keys.ts";

/** All traffic to whatever is newest: what a Service without `traffic` means. C §14.2. */
export const DEFAULT_TRAFFIC: readonly TrafficTarget[] = [{ latestRevision: true, percent: 100 }];

/** The Configuration of a Service; `present` is the one that exists, whose routes are kept. C-26, C-8. */
export function makeConfiguration(
  service: Stored<KnativeService>,
  present: Stored<Configuration> | undefined,
): Configuration {
  const { name, namespace, uid } = service.metadata;
  const routes = new Set([...splitNames(present?.metadata.annotations?.[annotations.routes]), name]);
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Configuration",
    metadata: {
      name,
      namespace,
      labels: { ...service.metadata.labels, [labels.service]: name, [labels.serviceUid]: uid },
      annotations: {
        ...without(service.metadata.annotations, [
          annotations.lastApplied,
          keys.rolloutDuration,
          keys.rolloutDurationOld,
        ]),
        [annotations.routes]: joinNames(routes) ?? name,
      },
      ownerReferences: [controllerOf(service)],
    },
    spec: { template: service.spec.template },
  };
}

/** The Route of a Service. C-26, C-8. */
export function makeRoute(service: Stored<KnativeService>): Route {
  const { name, namespace } = service.metadata;
  const { traffic = [] } = service.spec;
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Route",
    metadata: {
      name,
      namespace,
      labels: { ...service.metadata.labels, [labels.service]: name },
      annotations: without(service.metadata.annotations, [annotations.lastApplied]),
      ownerReferences: [controllerOf(service)],
    },
    spec: {
      traffic: (traffic.length === 0 ? DEFAULT_TRAFFIC : traffic).map((target) => routeTarget(target, name)),
    },
  };
}

/** An entry without a revision follows the Service's own Configuration; what is absent gets its default. */
function routeTarget(target: TrafficTarget, configurationName: string): TrafficTarget {
  const isLatest = (target.revisionName ?? "") === "";
  const defaults = { latestRevision: isLatest, percent: 0 };
  return isLatest ? { ...defaults, ...target, configurationName } : { ...defaults, ...target };
}
