import {
  type Condition,
  type Configuration,
  ConfigurationKind,
  type Deployment,
  DeploymentKind,
  EventRecorder,
  InProcessKubeClient,
  type KnativeService,
  KnativeServiceKind,
  type KubeObject,
  type Lister,
  ObjectStore,
  objectKey,
  type Pod,
  type PodAutoscaler,
  PodAutoscalerKind,
  type Revision,
  RevisionKind,
  type Route,
  RouteKind,
  SeededRandom,
  type Stored,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { RevisionReconciler } from "../src/revision/revision-reconciler.ts";
import { ServiceReconciler } from "../src/service/service-reconciler.ts";
import { hello } from "./fake-platform.ts";
import { settings } from "./stored.ts";

/** One controller alone, over a store where nobody else acts, so that what a single pass leaves can be seen. */
function alone() {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const client = new InProcessKubeClient({
    store: new ObjectStore({ wall: () => clock.wall(), random }),
    clock,
  });
  const events = new EventRecorder({ client, clock, log: silentLogger });
  return { clock, client, events, settings: { current: settings } };
}

/** A cache that shows exactly these. */
function showing<T extends KubeObject>(...objects: readonly Stored<T>[]): Lister<T> {
  return {
    get: (key) => objects.find(({ metadata }) => objectKey(metadata) === key),
    list: () => objects,
    byLabel: () => [],
  };
}

const none = <T extends KubeObject>(): Lister<T> => showing<T>();

const KEY = objectKey({ namespace: "default", name: "hello" });
const REF = { namespace: "default", name: "hello" };
const said = (conditions: readonly Condition[] = []): readonly string[] =>
  conditions.map(({ type, status, reason = "" }) => `${type} ${status} ${reason}`.trim());

describe("the first pass", () => {
  test("C-27, C-30: of a Service makes both children and waits for them", async () => {
    const { client, ...deps } = alone();
    const service = await client.create(KnativeServiceKind, hello());
    const caches = {
      configurations: none<Configuration>(),
      routes: none<Route>(),
      revisions: none<Revision>(),
    };
    await new ServiceReconciler({ ...deps, client, knativeServices: showing(service), ...caches }).reconcile(
      KEY,
    );
    expect((await client.get(RouteKind, REF)).spec.traffic).toMatchObject([{ configurationName: "hello" }]);
    await client.get(ConfigurationKind, REF);
    const { status } = await client.get(KnativeServiceKind, REF);
    expect(status?.observedGeneration).toBe(1);
    expect(said(status?.conditions)).toEqual([
      "ConfigurationsReady Unknown OutOfDate",
      "Ready Unknown OutOfDate",
      "RoutesReady Unknown OutOfDate",
    ]);
  });

  test("C-27: of a Service whose revision has a name leaves the Route until the name is dealt with", async () => {
    const { client, ...deps } = alone();
    const spec = hello().spec;
    const template = { ...spec.template, metadata: { name: "hello-a" } };
    const named: KnativeService = { ...hello(), spec: { ...spec, template } };
    const service = await client.create(KnativeServiceKind, named);
    const caches = {
      configurations: none<Configuration>(),
      routes: none<Route>(),
      revisions: none<Revision>(),
    };
    await new ServiceReconciler({ ...deps, client, knativeServices: showing(service), ...caches }).reconcile(
      KEY,
    );
    await client.get(ConfigurationKind, REF);
    await expect(client.get(RouteKind, REF)).rejects.toMatchObject({ reason: "NotFound" });
  });

  test("C-17, C-40, C-49: of a Revision says that it is deploying; conditions are sorted, and only Active is mere information", async () => {
    const { client, ...deps } = alone();
    const revision = await client.create(RevisionKind, {
      apiVersion: "serving.knative.dev/v1",
      kind: "Revision",
      metadata: { name: "hello", namespace: "default" },
      spec: { containers: [{ name: "user-container", image: "x" }] },
    });
    const caches = {
      deployments: none<Deployment>(),
      podAutoscalers: none<PodAutoscaler>(),
      pods: none<Pod>(),
    };
    await new RevisionReconciler({ ...deps, client, revisions: showing(revision), ...caches }).reconcile(KEY);
    const { status } = await client.get(RevisionKind, REF);
    expect(said(status?.conditions)).toEqual([
      "Active Unknown Deploying",
      "ContainerHealthy Unknown Deploying",
      "Ready Unknown Deploying",
      "ResourcesAvailable Unknown Deploying",
    ]);
    expect(status?.conditions?.map(({ type, severity }) => severity ?? type)).toEqual([
      "Info",
      "ContainerHealthy",
      "Ready",
      "ResourcesAvailable",
    ]);
    // C-40: what it does not say is 0, whatever config-defaults says now.
    const deployment = await client.get(DeploymentKind, { ...REF, name: "hello-deployment" });
    const sidecar = deployment.spec.template.spec.containers.at(-1);
    const variable = (name: string) => sidecar?.env?.find((each) => each.name === name)?.value;
    expect([variable("CONTAINER_CONCURRENCY"), variable("REVISION_TIMEOUT_SECONDS")]).toEqual(["0", "0"]);
    expect((await client.get(PodAutoscalerKind, REF)).spec.containerConcurrency).toBe(0);
  });
});
