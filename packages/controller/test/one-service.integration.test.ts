import {
  ConfigurationKind,
  DeploymentKind,
  EndpointsKind,
  EventKind,
  findCondition,
  IngressKind,
  type KnativeService,
  KnativeServiceKind,
  PodAutoscalerKind,
  RevisionKind,
  RouteKind,
  ServerlessServiceKind,
  ServiceKind,
} from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { FakePlatform } from "./fake-platform.ts";

const hello = (spec: Partial<KnativeService["spec"]> = {}): KnativeService => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name: "hello", namespace: "default" },
  spec: { template: { spec: { containers: [{ name: "", command: ["node", "server.mjs"] }] } }, ...spec },
});

async function ready(platform: FakePlatform, name = "hello"): Promise<string> {
  const service = await platform.get(KnativeServiceKind, name);
  const { status, reason = "" } = findCondition(service.status?.conditions, "Ready") ?? { status: "absent" };
  return `${status} ${reason}`.trim();
}

describe("a Service", () => {
  test("gets all its objects, becomes ready and comes to rest", async () => {
    await using platform = await FakePlatform.start({ controller: { externalPort: 8080 } });
    await platform.client.create(KnativeServiceKind, hello());
    await platform.settle();
    expect(await platform.names(ConfigurationKind)).toEqual(["hello"]);
    expect(await platform.names(RevisionKind)).toEqual(["hello-00001"]);
    expect(await platform.names(RouteKind)).toEqual(["hello"]);
    expect(await platform.names(DeploymentKind)).toEqual(["hello-00001-deployment"]);
    expect(await platform.names(PodAutoscalerKind)).toEqual(["hello-00001"]);
    expect(await platform.names(ServerlessServiceKind)).toEqual(["hello-00001"]);
    expect(await platform.names(IngressKind)).toEqual(["hello"]);
    expect(await platform.names(ServiceKind)).toEqual(["hello", "hello-00001", "hello-00001-private"]);
    expect(await ready(platform)).toBe("True");
    const { status } = await platform.get(KnativeServiceKind, "hello");
    expect(status).toMatchObject({
      url: "http://hello.default.example.com:8080",
      address: { url: "http://hello.default.svc.cluster.local" },
      latestCreatedRevisionName: "hello-00001",
      latestReadyRevisionName: "hello-00001",
      traffic: [{ revisionName: "hello-00001", percent: 100, latestRevision: true }],
    });
  });
});

test("I-9, CI-1: once at rest, another look at everything writes nothing", async () => {
  await using platform = await FakePlatform.start();
  await platform.client.create(KnativeServiceKind, hello());
  await platform.settle();
  const { resourceVersion } = platform.store;
  await platform.stopController();
  await platform.startController(); // looks at every object anew
  await platform.settle();
  expect(platform.store.resourceVersion).toBe(resourceVersion);
});

test("a Service that starts at zero is ready without a pod, behind the activators", async () => {
  await using platform = await FakePlatform.start();
  await platform.config("config-autoscaler", { "allow-zero-initial-scale": "true" });
  const template = {
    metadata: { annotations: { "autoscaling.knative.dev/initial-scale": "0" } },
    ...hello().spec.template,
  };
  await platform.client.create(KnativeServiceKind, hello({ template }));
  await platform.settle();
  expect(await ready(platform)).toBe("True");
  expect((await platform.get(DeploymentKind, "hello-00001-deployment")).spec.replicas).toBe(0);
  const endpoints = await platform.get(EndpointsKind, "hello-00001");
  expect(endpoints.subsets?.[0]?.addresses?.map(({ ip }) => ip)).toEqual(["10.9.0.1"]);
});

test("a program that crashes is told by its Service, with its exit code and last words", async () => {
  await using platform = await FakePlatform.start();
  platform.fates.set("hello-00001", { kind: "exits", code: 5, output: "boom" });
  await platform.client.create(KnativeServiceKind, hello());
  await platform.settle();
  expect(await ready(platform)).toBe("False RevisionFailed");
  const revision = await platform.get(RevisionKind, "hello-00001");
  expect(findCondition(revision.status?.conditions, "ContainerHealthy")).toMatchObject({
    status: "False",
    reason: "ExitCode5",
    message: expect.stringContaining("boom"),
  });
  const events = await platform.client.list(EventKind);
  expect(events.items.map(({ reason }) => reason)).toContain("LatestCreatedFailed");
});
