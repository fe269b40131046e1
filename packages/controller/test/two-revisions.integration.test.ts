import {
  ConfigurationKind,
  IngressKind,
  type KnativeService,
  KnativeServiceKind,
  type KubeObject,
  labels,
  RevisionKind,
  RouteKind,
  ServiceKind,
} from "@rouse/shared";
import { expect, test } from "vitest";
import { FakePlatform, HELLO_SPEC, hello } from "./fake-platform.ts";

type Spec = KnativeService["spec"];

const greeting = (value: string, name?: string): Spec["template"] => ({
  ...(name === undefined ? {} : { metadata: { name } }),
  spec: { containers: [{ name: "", command: ["node", "server.mjs"], env: [{ name: "GREETING", value }] }] },
});

async function change(platform: FakePlatform, spec: Partial<Spec>): Promise<void> {
  const service = await platform.get(KnativeServiceKind, "hello");
  await platform.client.update(KnativeServiceKind, { ...service, spec: { ...service.spec, ...spec } });
}

/** `revision percent` of the public rule for a host. */
async function splits(
  platform: FakePlatform,
  host = "hello.default.example.com",
): Promise<readonly string[]> {
  const { spec } = await platform.get(IngressKind, "hello");
  const rule = spec.rules.find(({ hosts }) => hosts.includes(host));
  return rule?.http.paths[0]?.splits.map(({ serviceName, percent }) => `${serviceName} ${percent}`) ?? [];
}

async function routing(platform: FakePlatform, revision: string): Promise<string> {
  const { metadata } = await platform.get(RevisionKind, revision);
  const state = metadata.labels?.[labels.routingState] ?? "";
  return `${state} ${metadata.annotations?.["serving.knative.dev/routes"] ?? "-"}`;
}

test("C-34, C-63, CI-8: traffic stays on the old revision until the new one is ready, then moves whole; CV-33", async () => {
  await using platform = await FakePlatform.start();
  await platform.client.create(KnativeServiceKind, hello({ template: greeting("one") }));
  await platform.settle();
  platform.fates.set("hello-00002", { kind: "starting" });
  await change(platform, { template: greeting("two") });
  await platform.settle();
  expect(await splits(platform)).toEqual(["hello-00001 100"]);
  expect(await platform.ready("hello")).toMatch(/^Unknown/);
  expect(await routing(platform, "hello-00001")).toBe("active hello");
  expect(await routing(platform, "hello-00002")).toBe("active hello"); // it is about to get traffic
  platform.fates.delete("hello-00002");
  await platform.settle();
  expect(await splits(platform)).toEqual(["hello-00002 100"]);
  expect(await platform.ready("hello")).toBe("True");
  expect(await routing(platform, "hello-00001")).toBe("reserve -");
  expect(await routing(platform, "hello-00002")).toBe("active hello");
  const configuration = await platform.get(ConfigurationKind, "hello");
  expect(configuration.metadata.annotations?.["serving.knative.dev/routes"]).toBe("hello");
});

test("C-64: the old revision stays in use until the gateway has taken up the new one", async () => {
  await using platform = await FakePlatform.start();
  await platform.client.create(KnativeServiceKind, hello({ template: greeting("one") }));
  await platform.settle();
  platform.isGatewayUp = false;
  await change(platform, { template: greeting("two") });
  await platform.settle();
  expect(await splits(platform)).toEqual(["hello-00002 100"]);
  expect(await platform.ready("hello")).toBe("Unknown IngressNotConfigured");
  expect(await routing(platform, "hello-00001")).toBe("active hello");
  platform.isGatewayUp = true;
  await platform.settle();
  expect(await routing(platform, "hello-00001")).toBe("reserve -");
  expect(await platform.ready("hello")).toBe("True");
});

test("CV-25, C-91, C-98, C-99, C-100: with a rollout duration the new revision gets its traffic step by step", async () => {
  await using platform = await FakePlatform.start();
  await platform.config("config-network", { "rollout-duration": "30" });
  await platform.client.create(KnativeServiceKind, hello({ template: greeting("one") }));
  await platform.settle();
  expect(await splits(platform)).toEqual(["hello-00001 100"]); // the first has nothing to roll from
  platform.isGatewayUp = false;
  await change(platform, { template: greeting("two") });
  for (let round = 0; round < 10; round++) await platform.rest(1);
  expect(await splits(platform)).toEqual(["hello-00001 99", "hello-00002 1"]);
  expect(await platform.reason(RouteKind, "hello", "IngressReady")).toBe("Unknown RolloutInProgress");
  expect((await platform.get(RouteKind, "hello")).status?.traffic).toEqual([
    { revisionName: "hello-00001", percent: 99, latestRevision: true },
    { revisionName: "hello-00002", percent: 1, latestRevision: true },
  ]);
  await platform.clock.advanceAsync(4_000); // as long as the gateway takes
  platform.isGatewayUp = true;
  await platform.rest(5);
  const seen: string[] = [];
  for (let second = 0; second < 40; second++) {
    await platform.clock.advanceAsync(1_000);
    await platform.rest(2);
    const now = (await splits(platform)).join(", ");
    if (now !== seen.at(-1)) seen.push(now);
    const revision = await routing(platform, "hello-00001");
    if (seen.at(-1) !== "hello-00002 100") expect(revision).toBe("active hello");
  }
  expect(seen).toEqual([
    "hello-00001 99, hello-00002 1",
    "hello-00001 79, hello-00002 21",
    "hello-00001 59, hello-00002 41",
    "hello-00001 39, hello-00002 61",
    "hello-00001 19, hello-00002 81",
    "hello-00002 100",
  ]);
  expect(await platform.ready("hello")).toBe("True");
  expect(await routing(platform, "hello-00001")).toBe("reserve -");
});

test("C-37, C-66, CV-33: Routes without a Service share a revision, and leave it one by one", async () => {
  await using platform = await FakePlatform.start();
  const apiVersion = "serving.knative.dev/v1";
  const metadata = { name: "plain", namespace: "default" };
  await platform.client.create(ConfigurationKind, {
    apiVersion,
    kind: "Configuration",
    metadata,
    spec: { template: greeting("one") },
  });
  await platform.settle();
  expect(await routing(platform, "plain-00001")).toBe("pending -");
  for (const name of ["b", "a"]) {
    await platform.client.create(RouteKind, {
      apiVersion,
      kind: "Route",
      metadata: { name, namespace: "default" },
      spec: { traffic: [{ configurationName: "plain", latestRevision: true, percent: 100 }] },
    });
  }
  await platform.settle();
  expect(await platform.reason(RouteKind, "a", "Ready")).toBe("True");
  expect(await routing(platform, "plain-00001")).toBe("active a,b");
  await platform.client.delete(RouteKind, { namespace: "default", name: "a" });
  await platform.settle();
  expect(await platform.names(RouteKind)).toEqual(["b"]);
  expect(await routing(platform, "plain-00001")).toBe("active b");
  await platform.client.delete(RouteKind, { namespace: "default", name: "b" });
  await platform.settle();
  expect(await routing(platform, "plain-00001")).toBe("reserve -");
});

test("a program with a port of its own is told to have one pod, and may have no more", async () => {
  await using platform = await FakePlatform.start();
  const template = { ...HELLO_SPEC.template, metadata: { annotations: { "rouse.dev/fixed-port": "true" } } };
  await platform.client.create(KnativeServiceKind, hello({ template }));
  await platform.settle();
  expect(await platform.reason(RevisionKind, "hello-00001", "SinglePod")).toBe("True FixedPort");
  expect(await platform.scalingAnnotation("hello-00001", "max-scale")).toBe("1");
  expect(await platform.ready("hello")).toBe("True");
});

test("CI-7: a new revision that fails leaves the traffic where it is, and the Service says why", async () => {
  await using platform = await FakePlatform.start();
  await platform.client.create(KnativeServiceKind, hello({ template: greeting("one") }));
  await platform.settle();
  platform.fates.set("hello-00002", { kind: "exits", code: 1, output: "no such table" });
  await change(platform, { template: greeting("two") });
  await platform.settle();
  expect(await platform.ready("hello")).toBe("False RevisionFailed");
  expect(await platform.reason(KnativeServiceKind, "hello", "RoutesReady")).toBe("True");
  expect(await splits(platform)).toEqual(["hello-00001 100"]);
  const { status } = await platform.get(KnativeServiceKind, "hello");
  expect([status?.latestCreatedRevisionName, status?.latestReadyRevisionName]).toEqual([
    "hello-00002",
    "hello-00001",
  ]);
});

test("C-29, C-72: traffic is split between two revisions as the spec says, and a change of shares makes no revision", async () => {
  await using platform = await FakePlatform.start();
  await platform.client.create(KnativeServiceKind, hello({ template: greeting("one", "hello-one") }));
  await platform.settle();
  const half = [
    { revisionName: "hello-one", percent: 50 },
    { revisionName: "hello-two", percent: 50 },
  ];
  await change(platform, { template: greeting("two", "hello-two"), traffic: half });
  await platform.settle();
  expect(await platform.ready("hello")).toBe("True");
  expect(await splits(platform)).toEqual(["hello-one 50", "hello-two 50"]);
  expect(await routing(platform, "hello-one")).toBe("active hello");
  await change(platform, {
    traffic: [
      { revisionName: "hello-one", percent: 10 },
      { latestRevision: true, percent: 90 },
    ],
  });
  await platform.settle();
  expect(await splits(platform)).toEqual(["hello-one 10", "hello-two 90"]);
  expect(await platform.names(RevisionKind)).toEqual(["hello-one", "hello-two"]);
  expect(await platform.ready("hello")).toBe("True");
});

test("C-78, C-79, C-81, C-82: a tag has a host, a URL and a placeholder of its own, and loses them with the tag; CV-27", async () => {
  await using platform = await FakePlatform.start({ controller: { externalPort: 8080 } });
  await platform.client.create(KnativeServiceKind, hello({ template: greeting("one") }));
  await platform.settle();
  await change(platform, {
    template: greeting("two"),
    traffic: [
      { latestRevision: true, percent: 100 },
      { revisionName: "hello-00001", percent: 0, tag: "old" },
    ],
  });
  await platform.settle();
  expect(await platform.ready("hello")).toBe("True");
  expect(await splits(platform)).toEqual(["hello-00002 100"]);
  expect(await splits(platform, "old-hello.default.example.com")).toEqual(["hello-00001 100"]);
  expect((await platform.get(RouteKind, "hello")).status?.traffic).toContainEqual({
    revisionName: "hello-00001",
    percent: 0,
    latestRevision: false,
    tag: "old",
    url: "http://old-hello.default.example.com:8080",
  });
  expect(await platform.names(ServiceKind)).toContain("old-hello");
  expect(await routing(platform, "hello-00001")).toBe("active hello");

  const placeholder = await platform.get(ServiceKind, "old-hello");
  const hidden = { ...placeholder.metadata.labels, [labels.visibility]: "cluster-local" };
  await platform.client.update(ServiceKind, {
    ...placeholder,
    metadata: { ...placeholder.metadata, labels: hidden },
  });
  await platform.settle();
  expect(await splits(platform, "old-hello.default.example.com")).toEqual([]);
  expect(await splits(platform, "old-hello.default.svc.cluster.local")).toEqual(["hello-00001 100"]);

  await change(platform, { traffic: [{ latestRevision: true, percent: 100 }] });
  await platform.settle();
  expect(await platform.names(ServiceKind)).not.toContain("old-hello");
  expect(await routing(platform, "hello-00001")).toBe("reserve -");
});

test("CV-13, C-31, C-32: named revisions: back to an old one without a new one; a taken name is told", async () => {
  await using platform = await FakePlatform.start();
  await platform.client.create(KnativeServiceKind, hello({ template: greeting("one", "hello-a") }));
  await platform.settle();
  await change(platform, { template: greeting("two", "hello-b") });
  await platform.settle();
  expect(await splits(platform)).toEqual(["hello-b 100"]);
  await change(platform, { template: greeting("one", "hello-a") });
  await platform.settle();
  expect(await splits(platform)).toEqual(["hello-a 100"]);
  expect(await platform.names(RevisionKind)).toEqual(["hello-a", "hello-b"]);
  expect(await platform.ready("hello")).toBe("True");
  await change(platform, { template: greeting("three", "hello-b") });
  await platform.settle();
  expect(await platform.reason(ConfigurationKind, "hello", "Ready")).toBe("False RevisionFailed");
  expect(await platform.reason(KnativeServiceKind, "hello", "RoutesReady")).toBe("False RevisionNameTaken");
  expect(await splits(platform)).toEqual(["hello-a 100"]);
});

test("C-9, CV-39: a label on the Service reaches Configuration and Route, and makes no revision", async () => {
  await using platform = await FakePlatform.start();
  await platform.client.create(KnativeServiceKind, hello());
  await platform.settle();
  const service = await platform.get(KnativeServiceKind, "hello");
  const metadata = { ...service.metadata, labels: { team: "a" } };
  await platform.client.update(KnativeServiceKind, { ...service, metadata });
  await platform.settle();
  for (const kind of [ConfigurationKind, RouteKind]) {
    expect((await platform.get<KubeObject>(kind, "hello")).metadata.labels).toMatchObject({ team: "a" });
  }
  expect(await platform.names(RevisionKind)).toEqual(["hello-00001"]);
  expect((await platform.get(RevisionKind, "hello-00001")).metadata.labels).not.toHaveProperty("team");
  expect(await platform.ready("hello")).toBe("True");
});

test("C-50, S-17: an annotation about scaling reaches the PodAutoscaler and restarts no pod", async () => {
  await using platform = await FakePlatform.start();
  await platform.client.create(KnativeServiceKind, hello({ template: HELLO_SPEC.template }));
  await platform.settle();
  const before = await platform.deploymentSpec("hello-00001");
  await platform.client.patch(
    RevisionKind,
    { namespace: "default", name: "hello-00001" },
    { kind: "merge", body: { metadata: { annotations: { "autoscaling.knative.dev/max-scale": "3" } } } },
  );
  await platform.settle();
  expect(await platform.scalingAnnotation("hello-00001", "max-scale")).toBe("3");
  expect(await platform.deploymentSpec("hello-00001")).toEqual(before);
});

test("C-136, C-139: old revisions beyond the limit go, with everything below them", async () => {
  await using platform = await FakePlatform.start();
  await platform.config("config-gc", {
    "retain-since-create-time": "disabled",
    "retain-since-last-active-time": "disabled",
    "min-non-active-revisions": "1",
    "max-non-active-revisions": "1",
  });
  await platform.client.create(KnativeServiceKind, hello({ template: greeting("0") }));
  await platform.settle();
  for (const value of ["1", "2", "3"]) {
    platform.clock.advance(60_000);
    await change(platform, { template: greeting(value) });
    await platform.settle();
  }
  expect(await platform.names(RevisionKind)).toEqual(["hello-00003", "hello-00004"]);
  expect(await platform.ready("hello")).toBe("True");
});

test("C-83, C-155: traffic for a revision that is not there is admitted, told, and changes nothing that runs", async () => {
  await using platform = await FakePlatform.start();
  await platform.client.create(KnativeServiceKind, hello({ template: greeting("one") }));
  await platform.settle();
  const before = await platform.version(IngressKind, "hello");
  await change(platform, { traffic: [{ revisionName: "hello-none", percent: 100 }] });
  await platform.settle();
  expect(await platform.reason(RouteKind, "hello", "AllTrafficAssigned")).toBe("False RevisionMissing");
  expect(await platform.reason(RouteKind, "hello", "IngressReady")).toBe("Unknown IngressNotConfigured");
  expect(await platform.version(IngressKind, "hello")).toBe(before);
  const { status } = await platform.get(RouteKind, "hello");
  expect(status?.traffic).toMatchObject([{ revisionName: "hello-00001", percent: 100 }]);
  await change(platform, { traffic: [{ latestRevision: true, percent: 100 }] });
  await platform.settle();
  expect(await platform.ready("hello")).toBe("True");
});
