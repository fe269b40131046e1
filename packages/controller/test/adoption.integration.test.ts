import {
  type Deployment,
  DeploymentKind,
  Informer,
  InProcessKubeClient,
  labels,
  ObjectStore,
  type PodAutoscaler,
  PodAutoscalerKind,
  rouse,
  SeededRandom,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, onTestFinished, test } from "vitest";
import { AdoptionController } from "../src/adoption/adoption-controller.ts";

const HELLO = { namespace: "default", name: "hello" };

async function world() {
  const clock = new VirtualClock();
  const random = new SeededRandom(3);
  const store = new ObjectStore({ wall: () => clock.wall(), random });
  const client = new InProcessKubeClient({ store, clock });
  const deps = { client, clock, random };
  const autoscalers = new Informer<PodAutoscaler>(deps, PodAutoscalerKind);
  const controller = new AdoptionController({ ...deps, log: silentLogger, autoscalers });
  onTestFinished(() => {
    controller[Symbol.dispose]();
    autoscalers[Symbol.dispose]();
  });
  await Promise.all([autoscalers.start(), controller.start()]);
  controller.lead();
  const version = (): string => store.resourceVersion;
  return { clock, client, controller, version };
}

const deployment = (
  replicas: number,
  containers: Deployment["spec"]["template"]["spec"]["containers"],
): Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { ...HELLO, labels: { app: "hello" } },
  spec: {
    replicas,
    selector: { matchLabels: { app: "hello" } },
    template: { metadata: { labels: { app: "hello" } }, spec: { containers } },
  },
});
const autoscaler = (annotations: Record<string, string> = { [rouse.inject]: "true" }): PodAutoscaler => ({
  apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
  kind: "PodAutoscaler",
  metadata: { ...HELLO, annotations },
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello" },
    protocolType: "http1",
  },
});
const naming = { [labels.service]: "hello", [labels.configuration]: "hello", [labels.revision]: "hello" };

test("a Deployment an annotated PodAutoscaler names gets the names of a revision, once, and is given back", async () => {
  const { clock, client, version } = await world();
  await client.create(DeploymentKind, deployment(3, [{ name: "app", image: "i" }]));
  await client.create(PodAutoscalerKind, autoscaler());
  await clock.settle();
  const taken = await client.get(DeploymentKind, HELLO);
  expect(taken.metadata.labels).toEqual({ app: "hello", ...naming });
  expect(taken.metadata.annotations).toMatchObject({ [rouse.replicasBefore]: "3" });
  expect(taken.spec.template.metadata?.labels).toEqual({ app: "hello", ...naming, [rouse.inject]: "true" });
  expect((await client.get(PodAutoscalerKind, HELLO)).metadata).toMatchObject({
    labels: naming,
    annotations: { "autoscaling.knative.dev/class": "kpa.autoscaling.knative.dev" },
  });
  const quiet = version();
  await clock.advanceAsync(60_000);
  expect(version()).toBe(quiet);
  await client.patch(DeploymentKind, HELLO, { kind: "merge", body: { spec: { replicas: 0 } } }); // as the autoscaler does
  await client.delete(PodAutoscalerKind, HELLO);
  await clock.settle();
  const back = await client.get(DeploymentKind, HELLO);
  expect(back.spec.replicas).toBe(3);
  expect(back.metadata.labels).toEqual({ app: "hello" });
  expect(back.spec.template.metadata?.labels).toEqual({ app: "hello" });
});

test("a Deployment that comes later is taken when it comes", async () => {
  const { clock, client } = await world();
  await client.create(PodAutoscalerKind, autoscaler());
  await clock.settle();
  await client.create(DeploymentKind, deployment(0, [{ name: "app", image: "i" }]));
  await clock.advanceAsync(5_000);
  const { metadata } = await client.get(DeploymentKind, HELLO);
  expect(metadata.labels).toMatchObject(naming);
  expect(metadata.annotations?.[rouse.replicasBefore]).toBe("1"); // to be given back, it has to run
});

test("A-54: a pod only Kubernetes can call ready is not used before", async () => {
  const { clock, client } = await world();
  const readinessProbe = { exec: { command: ["true"] } };
  await client.create(DeploymentKind, deployment(1, [{ name: "app", image: "i", readinessProbe }]));
  await client.create(PodAutoscalerKind, autoscaler());
  await clock.settle();
  expect((await client.get(PodAutoscalerKind, HELLO)).metadata.annotations?.[rouse.readyBy]).toBe(
    "kubernetes",
  );
});

test("what a Revision owns, and what asks for nothing, is left alone; so is everything by a replica that does not lead", async () => {
  const { clock, client, controller } = await world();
  await client.create(DeploymentKind, deployment(1, [{ name: "app", image: "i" }]));
  const owner = {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    name: "r",
    uid: "u",
    controller: true,
  };
  const owned = autoscaler();
  await client.create(PodAutoscalerKind, {
    ...owned,
    metadata: { ...owned.metadata, ownerReferences: [owner] },
  });
  await clock.settle();
  expect((await client.get(DeploymentKind, HELLO)).metadata.labels).toEqual({ app: "hello" });
  await client.delete(PodAutoscalerKind, HELLO);
  await client.create(PodAutoscalerKind, autoscaler({}));
  await clock.settle();
  expect((await client.get(DeploymentKind, HELLO)).metadata.labels).toEqual({ app: "hello" });
  controller.follow();
  await client.patch(PodAutoscalerKind, HELLO, {
    kind: "merge",
    body: { metadata: { annotations: { [rouse.inject]: "true" } } },
  });
  await clock.settle();
  expect((await client.get(DeploymentKind, HELLO)).metadata.labels).toEqual({ app: "hello" });
  controller.lead();
  await clock.settle();
  expect((await client.get(DeploymentKind, HELLO)).metadata.labels).toMatchObject(naming);
});
