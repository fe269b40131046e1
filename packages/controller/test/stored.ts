import type {
  Condition,
  Configuration,
  KnativeService,
  KubeObject,
  ObjectMeta,
  Revision,
  RevisionSpec,
  Route,
  Stored,
  TrafficTarget,
} from "@rouse/shared";
import { defaultSettings, type Settings } from "../src/settings/settings.ts";

type Meta = Partial<ObjectMeta>;

/** What the API fills in, for objects that never saw one. */
export function stored<T extends KubeObject>(object: T): Stored<T> {
  return {
    ...object,
    metadata: {
      namespace: "default",
      uid: `${object.metadata.name}-uid`,
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
      ...object.metadata,
    },
  };
}

const apiVersion = "serving.knative.dev/v1";

/** Settings as of the vectors of the specification: one public domain, the rest default. */
export const settings: Settings = { ...defaultSettings(), domains: [{ name: "example.com", selector: {} }] };

export function serviceOf(
  name: string,
  meta: Meta = {},
  spec: Partial<KnativeService["spec"]> = {},
): Stored<KnativeService> {
  return stored<KnativeService>({
    apiVersion,
    kind: "Service",
    metadata: { name, ...meta },
    spec: { template: { spec: { containers: [{ name: "user-container", image: "x" }] } }, ...spec },
  });
}

export function configurationOf(
  name: string,
  meta: Meta = {},
  extra: Partial<Pick<Configuration, "spec" | "status">> = {},
): Stored<Configuration> {
  return stored<Configuration>({
    apiVersion,
    kind: "Configuration",
    metadata: { name, ...meta },
    spec: { template: { spec: { containers: [{ name: "user-container", image: "x" }] } } },
    ...extra,
  });
}

/** `ready`: the status of its Ready condition, of the current generation; absent for no status at all. */
export function revisionOf(
  name: string,
  options: {
    readonly meta?: Meta;
    readonly spec?: Partial<RevisionSpec>;
    readonly ready?: Condition["status"];
  } = {},
): Stored<Revision> {
  const { meta = {}, spec = {}, ready } = options;
  return stored<Revision>({
    apiVersion,
    kind: "Revision",
    metadata: { name, ...meta },
    spec: { containers: [{ name: "user-container", image: "x" }], ...spec },
    ...(ready === undefined
      ? {}
      : { status: { observedGeneration: 1, conditions: [{ type: "Ready", status: ready }] } }),
  });
}

export function routeOf(name: string, traffic: readonly TrafficTarget[], meta: Meta = {}): Stored<Route> {
  return stored<Route>({ apiVersion, kind: "Route", metadata: { name, ...meta }, spec: { traffic } });
}
