import { EndpointsKind, IngressKind, KnativeServiceKind, ServiceKind } from "@rouse/shared";
import { expect, test } from "vitest";
import { FakePlatform, hello } from "./fake-platform.ts";

const TAGGED = {
  traffic: [
    { latestRevision: true, percent: 100 },
    { latestRevision: true, percent: 0, tag: "blue" },
  ],
};

async function withTag(): Promise<FakePlatform> {
  const platform = await FakePlatform.start({ controller: { shapesPlaceholders: true } });
  platform.loadBalancer = { ingress: [{ ip: "1.2.3.4" }] };
  await platform.client.create(KnativeServiceKind, hello(TAGGED));
  await platform.settle();
  return platform;
}

/** What a placeholder leads to: an outer name, or the addresses of its Endpoints. */
async function leadsTo(platform: FakePlatform, name: string): Promise<unknown> {
  const { spec } = await platform.get(ServiceKind, name);
  if (spec.type === "ExternalName") return spec.externalName;
  if (spec.clusterIP !== "None") return spec.ports?.map((port) => port.name);
  const { subsets = [] } = await platform.get(EndpointsKind, name);
  return subsets.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip));
}

test("C-80, C-81, CV-27: placeholders follow where the ingress is, whatever that takes, and go with their tag", async () => {
  await using platform = await withTag();
  expect(await leadsTo(platform, "hello")).toEqual(["1.2.3.4"]);
  expect(await leadsTo(platform, "blue-hello")).toEqual(["1.2.3.4"]);
  const uid = async () => (await platform.get(ServiceKind, "hello")).metadata.uid;
  const first = await uid();

  platform.loadBalancer = { ingress: [{ ip: "1.2.3.5" }] };
  await platform.settle();
  expect(await leadsTo(platform, "hello")).toEqual(["1.2.3.5"]);
  expect(await uid()).toBe(first);

  platform.loadBalancer = { ingress: [{ domainInternal: "gw.sys.svc.cluster.local", domain: "x" }] };
  await platform.settle();
  expect(await leadsTo(platform, "hello")).toBe("gw.sys.svc.cluster.local");
  expect(await uid()).not.toBe(first); // a headless Service cannot become another one
  expect(await platform.names(EndpointsKind)).not.toContain("hello");

  platform.loadBalancer = { ingress: [{ meshOnly: true }] };
  await platform.settle();
  expect(await leadsTo(platform, "hello")).toEqual(["http"]);

  platform.loadBalancer = { ingress: [{ ip: "1.2.3.4" }, { ip: "1.2.3.5" }] };
  await platform.settle();
  expect(await leadsTo(platform, "hello")).toEqual(["http"]); // two are as good as none

  platform.loadBalancer = { ingress: [{ ip: "1.2.3.4" }] };
  await platform.settle();
  expect(await leadsTo(platform, "blue-hello")).toEqual(["1.2.3.4"]);
  const service = await platform.get(KnativeServiceKind, "hello");
  await platform.client.update(KnativeServiceKind, { ...service, spec: hello().spec });
  await platform.settle();
  expect(await platform.names(ServiceKind)).not.toContain("blue-hello");
  expect(await platform.names(EndpointsKind)).not.toContain("blue-hello");
  expect(await leadsTo(platform, "hello")).toEqual(["1.2.3.4"]);
  expect(await platform.ready("hello")).toBe("True");

  const { resourceVersion } = platform.store;
  await platform.stopController();
  await platform.startController({ shapesPlaceholders: true });
  await platform.settle();
  expect(platform.store.resourceVersion).toBe(resourceVersion); // CI-1
});

test("C-7: Endpoints of somebody else under a placeholder's name are left alone and told", async () => {
  await using platform = await FakePlatform.start({ controller: { shapesPlaceholders: true } });
  platform.loadBalancer = { ingress: [{ ip: "1.2.3.4" }] };
  await platform.client.create(EndpointsKind, {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name: "hello", namespace: "default" },
    subsets: [{ addresses: [{ ip: "9.9.9.9" }] }],
  });
  await platform.client.create(KnativeServiceKind, hello());
  await platform.rest(20);
  expect((await platform.get(IngressKind, "hello")).status?.observedGeneration).toBe(1);
  expect(await platform.ready("hello")).toBe("False NotOwned");
  expect(await leadsTo(platform, "hello")).toEqual(["9.9.9.9"]);
});
