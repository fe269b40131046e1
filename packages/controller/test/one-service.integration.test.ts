import {
  ConfigurationKind,
  DeploymentKind,
  EndpointsKind,
  EventKind,
  findCondition,
  IngressKind,
  KnativeServiceKind,
  type KubeObject,
  PodAutoscalerKind,
  PodKind,
  RevisionKind,
  RouteKind,
  ServerlessServiceKind,
  ServiceKind,
} from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { FakePlatform, HELLO_SPEC, hello } from "./fake-platform.ts";

describe("a Service", () => {
  test("C-6, C-78, C-127, C-140: gets all its objects, becomes ready and comes to rest", async () => {
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
    expect(await platform.ready("hello")).toBe("True");
    const { status } = await platform.get(KnativeServiceKind, "hello");
    expect(status).toMatchObject({
      observedGeneration: 1,
      url: "http://hello.default.example.com:8080",
      address: { url: "http://hello.default.svc.cluster.local" },
      latestCreatedRevisionName: "hello-00001",
      latestReadyRevisionName: "hello-00001",
      traffic: [{ revisionName: "hello-00001", percent: 100, latestRevision: true }],
    });
    const route = await platform.get(RouteKind, "hello");
    expect(findCondition(route.status?.conditions, "CertificateProvisioned")).toMatchObject({
      status: "True",
      reason: "TLSNotEnabled",
    });
    const reasons = (await platform.client.list(EventKind)).items.map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(
      new Set(["Created", "RevisionReady", "ConfigurationReady", "LatestReadyUpdate", "FinalizerUpdate"]),
    );
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

  test.each([ConfigurationKind, RevisionKind, DeploymentKind, IngressKind, ServiceKind] as const)(
    "is not touched before all caches are filled, $plural last",
    async (slow) => {
      await using platform = await FakePlatform.start();
      await platform.client.create(KnativeServiceKind, hello());
      await platform.settle();
      const { resourceVersion } = platform.store;
      await platform.stopController();
      await platform.startController({}, slow);
      await platform.settle();
      expect(platform.store.resourceVersion).toBe(resourceVersion);
    },
  );

  test("C-59: that starts at zero is ready without a pod, behind the activators", async () => {
    await using platform = await FakePlatform.start();
    await platform.config("config-autoscaler", { "allow-zero-initial-scale": "true" });
    const annotations = { "autoscaling.knative.dev/initial-scale": "0" };
    const template = { ...HELLO_SPEC.template, metadata: { annotations } };
    await platform.client.create(KnativeServiceKind, hello({ template }));
    await platform.settle();
    expect(await platform.ready("hello")).toBe("True");
    expect((await platform.get(DeploymentKind, "hello-00001-deployment")).spec.replicas).toBe(0);
    expect(await platform.publicIps("hello-00001")).toEqual(["10.9.0.1"]);
  });

  test("that wakes from zero changes no object of routing, and only its own two status objects", async () => {
    await using platform = await FakePlatform.start();
    await platform.client.create(KnativeServiceKind, hello());
    await platform.settle();
    await platform.scale("hello-00001-deployment", 0);
    await platform.settle();
    expect(await platform.ready("hello")).toBe("True");
    const versions = async () =>
      await Promise.all([
        platform.version(KnativeServiceKind, "hello"),
        platform.version(ConfigurationKind, "hello"),
        platform.version(RouteKind, "hello"),
        platform.version(IngressKind, "hello"),
        platform.version(ServiceKind, "hello-00001"),
        platform.version(ServiceKind, "hello-00001-private"),
      ]);
    const before = await versions();
    await platform.scale("hello-00001-deployment", 1);
    await platform.settle();
    expect(await versions()).toEqual(before);
    const { status } = await platform.get(RevisionKind, "hello-00001");
    expect(status).toMatchObject({ actualReplicas: 1, desiredReplicas: 1 });
  });

  test("CI-15: when it is deleted, nothing of it stays", async () => {
    await using platform = await FakePlatform.start();
    await platform.client.create(KnativeServiceKind, hello());
    await platform.settle();
    await platform.client.delete(KnativeServiceKind, { namespace: "default", name: "hello" });
    await platform.settle();
    const kinds = [
      ConfigurationKind,
      RevisionKind,
      RouteKind,
      IngressKind,
      DeploymentKind,
      PodAutoscalerKind,
      PodKind,
      ServerlessServiceKind,
      ServiceKind,
    ];
    for (const kind of kinds)
      expect([kind.kind, await platform.names<KubeObject>(kind)]).toEqual([kind.kind, []]);
  });

  test("closed, it leaves no timer behind", async () => {
    const platform = await FakePlatform.start();
    await platform.client.create(KnativeServiceKind, hello());
    await platform.settle();
    await platform[Symbol.asyncDispose]();
    expect(platform.clock.pendingTimers).toBe(0);
  });
});

describe("a program that does not come up is told by its Service", () => {
  test("C-60: that crashes: with its exit code and last words; and it recovers", async () => {
    await using platform = await FakePlatform.start();
    platform.fates.set("hello-00001", { kind: "exits", code: 5, output: "boom" });
    await platform.client.create(KnativeServiceKind, hello());
    await platform.settle();
    expect(await platform.ready("hello")).toBe("False RevisionFailed");
    const service = await platform.get(KnativeServiceKind, "hello");
    expect(findCondition(service.status?.conditions, "Ready")?.message).toContain("boom");
    const revision = await platform.get(RevisionKind, "hello-00001");
    expect(findCondition(revision.status?.conditions, "ContainerHealthy")).toMatchObject({
      status: "False",
      reason: "ExitCode5",
    });
    // S-25: without a chance to get up, its minimum scale is let go.
    expect((await platform.get(PodAutoscalerKind, "hello-00001")).spec.reachability).toBe("Unreachable");
    const events = await platform.client.list(EventKind);
    expect(events.items.map(({ reason }) => reason)).toContain("LatestCreatedFailed");
    platform.fates.delete("hello-00001");
    await platform.settle();
    expect(await platform.ready("hello")).toBe("True");
    expect((await platform.get(PodAutoscalerKind, "hello-00001")).spec.reachability).toBe("Reachable");
  });

  test("whose command does not exist: with the reason and the command", async () => {
    await using platform = await FakePlatform.start();
    const message = "command not found: nodee";
    platform.fates.set("hello-00001", { kind: "waits", reason: "RunContainerError", message });
    await platform.client.create(KnativeServiceKind, hello());
    await platform.settle();
    expect(await platform.ready("hello")).toBe("False RevisionFailed");
    const service = await platform.get(KnativeServiceKind, "hello");
    expect(findCondition(service.status?.conditions, "Ready")?.message).toContain(message);
    expect(await platform.reason(RevisionKind, "hello-00001", "ResourcesAvailable")).toBe(
      "False RunContainerError",
    );
  });
});

describe("C-7: a name held by somebody else is left alone and told", () => {
  test.each([
    { kind: "Configuration", type: "ConfigurationsReady" },
    { kind: "Route", type: "RoutesReady" },
  ] as const)("$kind", async ({ kind, type }) => {
    await using platform = await FakePlatform.start();
    const metadata = { name: "hello", namespace: "default", labels: { theirs: "yes" } };
    const apiVersion = "serving.knative.dev/v1";
    if (kind === "Configuration") {
      await platform.client.create(ConfigurationKind, { apiVersion, kind, metadata, spec: HELLO_SPEC });
    } else {
      const traffic = [{ revisionName: "other", percent: 100 }];
      await platform.client.create(RouteKind, { apiVersion, kind, metadata, spec: { traffic } });
    }
    await platform.client.create(KnativeServiceKind, hello());
    await platform.rest();
    expect(await platform.reason(KnativeServiceKind, "hello", type)).toBe("False NotOwned");
    const present = await platform.get<KubeObject>(
      kind === "Configuration" ? ConfigurationKind : RouteKind,
      "hello",
    );
    expect(present).toMatchObject({ metadata: { labels: { theirs: "yes" } } });
  });

  test("Deployment", async () => {
    await using platform = await FakePlatform.start();
    await platform.client.create(DeploymentKind, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "hello-00001-deployment", namespace: "default" },
      spec: { replicas: 0, selector: { matchLabels: { a: "b" } }, template: { spec: { containers: [] } } },
    });
    await platform.client.create(KnativeServiceKind, hello());
    await platform.rest();
    expect(await platform.reason(RevisionKind, "hello-00001", "ResourcesAvailable")).toBe("False NotOwned");
  });
});

describe("C-7: below the Service, too", () => {
  const metadata = { name: "hello", namespace: "default" };

  test("PodAutoscaler", async () => {
    await using platform = await FakePlatform.start();
    await platform.client.create(PodAutoscalerKind, {
      apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
      kind: "PodAutoscaler",
      metadata: { ...metadata, name: "hello-00001" },
      spec: { scaleTargetRef: { apiVersion: "v1", kind: "Pod", name: "other" }, protocolType: "http1" },
    });
    await platform.client.create(KnativeServiceKind, hello());
    await platform.look(5);
    expect(await platform.reason(RevisionKind, "hello-00001", "ResourcesAvailable")).toBe("False NotOwned");
  });

  test("placeholder Service", async () => {
    await using platform = await FakePlatform.start();
    const spec = { ports: [{ port: 1 }] };
    await platform.client.create(ServiceKind, { apiVersion: "v1", kind: "Service", metadata, spec });
    await platform.client.create(KnativeServiceKind, hello());
    await platform.rest();
    expect(await platform.reason(RouteKind, "hello", "IngressReady")).toBe("False NotOwned");
    expect((await platform.get(ServiceKind, "hello")).spec).toMatchObject(spec);
  });

  test("Ingress", async () => {
    await using platform = await FakePlatform.start();
    await platform.client.create(IngressKind, {
      apiVersion: "networking.internal.knative.dev/v1alpha1",
      kind: "Ingress",
      metadata,
      spec: { rules: [] },
    });
    await platform.client.create(KnativeServiceKind, hello());
    await platform.rest();
    expect(await platform.reason(RouteKind, "hello", "IngressReady")).toBe("False NotOwned");
    expect((await platform.get(IngressKind, "hello")).spec.rules).toEqual([]);
    const events = (await platform.client.list(EventKind)).items.filter(({ type }) => type === "Warning");
    expect(events.map(({ reason }) => reason)).toContain("InternalError");
  });
});

describe("settings take effect live", () => {
  test("C-41, C-42, C-47: the link to a revision's logs follows config-observability, and every image counts as resolved", async () => {
    await using platform = await FakePlatform.start();
    await platform.client.create(KnativeServiceKind, hello());
    await platform.settle();
    await platform.config("config-observability", {
      "logging.revision-url-template": `http://logs/?a=$${"{REVISION_UID}"}&b=$${"{REVISION_UID}"}`,
    });
    await platform.settle();
    const { metadata, status } = await platform.get(RevisionKind, "hello-00001");
    expect(status?.logUrl).toBe(`http://logs/?a=${metadata.uid}&b=${metadata.uid}`);
    expect(status?.containerStatuses).toEqual([{ name: "user-container" }]); // C-47
    await platform.config("config-observability", {});
    await platform.settle();
    expect((await platform.get(RevisionKind, "hello-00001")).status?.logUrl).toBeUndefined();
  });

  test("a new domain moves the hosts", async () => {
    await using platform = await FakePlatform.start();
    await platform.client.create(KnativeServiceKind, hello());
    await platform.settle();
    await platform.config("config-domain", { "example.org": "" });
    await platform.settle();
    expect((await platform.get(KnativeServiceKind, "hello")).status?.url).toBe(
      "http://hello.default.example.org",
    );
    const hosts = (await platform.get(IngressKind, "hello")).spec.rules.flatMap((rule) => rule.hosts);
    expect(hosts).toContain("hello.default.example.org");
  });

  test("C-24: config-defaults is for what is yet to come, config-deployment for what there is", async () => {
    await using platform = await FakePlatform.start();
    await platform.client.create(KnativeServiceKind, hello());
    await platform.settle();
    const deadline = async () =>
      (await platform.get(DeploymentKind, "hello-00001-deployment")).spec.progressDeadlineSeconds;
    const before = await platform.version(DeploymentKind, "hello-00001-deployment");
    await platform.config("config-defaults", { "revision-timeout-seconds": "77" });
    await platform.settle();
    expect(await platform.version(DeploymentKind, "hello-00001-deployment")).toBe(before);
    await platform.config("config-deployment", { "progress-deadline": "77s" });
    await platform.settle();
    expect(await deadline()).toBe(77);
    const service = await platform.get(KnativeServiceKind, "hello");
    const [container] = service.spec.template.spec.containers;
    const template = { spec: { containers: [{ ...container, name: "", env: [{ name: "A", value: "1" }] }] } };
    await platform.client.update(KnativeServiceKind, { ...service, spec: { ...service.spec, template } });
    await platform.settle();
    expect((await platform.get(RevisionKind, "hello-00002")).spec.timeoutSeconds).toBe(77);
  });

  test("C-25: a ConfigMap that makes no sense changes nothing", async () => {
    await using platform = await FakePlatform.start();
    await platform.client.create(KnativeServiceKind, hello());
    await platform.settle();
    const { resourceVersion } = platform.store;
    await platform.config("config-domain", { "example.org": "what" });
    await platform.settle();
    expect((await platform.get(KnativeServiceKind, "hello")).status?.url).toBe(
      "http://hello.default.example.com",
    );
    expect(Number(platform.store.resourceVersion)).toBe(Number(resourceVersion) + 1);
  });
});

test("W-14: another activator reaches every revision it is to serve", async () => {
  await using platform = await FakePlatform.start();
  await platform.client.create(KnativeServiceKind, hello());
  await platform.settle();
  expect(await platform.publicIps("hello-00001")).toEqual(["10.9.0.1"]);
  await platform.setActivators(["10.9.0.1", "10.9.0.2"]);
  await platform.settle();
  expect(await platform.publicIps("hello-00001")).toEqual(["10.9.0.1", "10.9.0.2"]);
  platform.sksMode = "Serve";
  await platform.settle();
  expect(await platform.publicIps("hello-00001")).toEqual(["10.1.0.1"]);
  const endpoints = await platform.get(EndpointsKind, "hello-00001");
  expect(endpoints.metadata.labels?.["serving.knative.dev/revision"]).toBe("hello-00001");
});
