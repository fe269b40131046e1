import {
  ClusterDomainClaimKind,
  type DomainMapping,
  DomainMappingKind,
  IngressKind,
  KnativeServiceKind,
  ServiceKind,
} from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { FakePlatform, hello } from "./fake-platform.ts";

function mapping(name: string, ref: Partial<DomainMapping["spec"]["ref"]> = {}): DomainMapping {
  return {
    apiVersion: "serving.knative.dev/v1beta1",
    kind: "DomainMapping",
    metadata: { name, namespace: "default" },
    spec: { ref: { kind: "Service", apiVersion: "serving.knative.dev/v1", name: "hello", ...ref } },
  };
}

const AUTOMATIC = { "autocreate-cluster-domain-claims": "true" };

async function withHello(network: Record<string, string> = AUTOMATIC): Promise<FakePlatform> {
  const platform = await FakePlatform.start({ controller: { externalPort: 8080 } });
  await platform.config("config-network", network);
  await platform.client.create(KnativeServiceKind, hello());
  await platform.settle();
  return platform;
}

describe("a domain mapping", () => {
  test("C-12, C-16, C-128, C-129, CV-35: is claimed, resolved and led to the service's own route", async () => {
    await using platform = await withHello();
    await platform.client.create(DomainMappingKind, mapping("www.acme.io"));
    await platform.settle();
    expect(await platform.reason(DomainMappingKind, "www.acme.io", "Ready")).toBe("True");
    const { metadata, status } = await platform.get(DomainMappingKind, "www.acme.io");
    expect(metadata.finalizers).toEqual(["domainmappings.serving.knative.dev"]); // C-12
    expect(status?.conditions?.map(({ type, status: is }) => `${type} ${is}`)).toEqual([
      "CertificateProvisioned True",
      "DomainClaimed True",
      "IngressReady True",
      "Ready True",
      "ReferenceResolved True",
    ]);
    expect(status).toMatchObject({
      url: "http://www.acme.io:8080",
      address: { url: "http://www.acme.io:8080" },
      observedGeneration: 1,
    });
    const ingress = await platform.get(IngressKind, "www.acme.io");
    expect(ingress.metadata.labels).toEqual({
      "serving.knative.dev/domainMappingUID": metadata.uid,
      "serving.knative.dev/domainMappingNamespace": "default",
    });
    expect(ingress.spec).toEqual({
      httpOption: "Enabled",
      rules: [
        {
          hosts: ["www.acme.io"],
          visibility: "ExternalIP",
          http: {
            paths: [
              {
                rewriteHost: "hello.default.svc.cluster.local",
                splits: [
                  {
                    serviceNamespace: "default",
                    serviceName: "hello",
                    servicePort: 80,
                    percent: 100,
                    appendHeaders: { "K-Original-Host": "www.acme.io" },
                  },
                ],
              },
            ],
          },
        },
      ],
    });
    const { resourceVersion } = platform.store;
    await platform.stopController();
    await platform.startController({ externalPort: 8080 });
    await platform.settle();
    expect(platform.store.resourceVersion).toBe(resourceVersion); // CI-1
  });

  test("C-131, C-132: its claim was made for it and goes with it, and so does its Ingress", async () => {
    await using platform = await withHello();
    await platform.client.create(DomainMappingKind, mapping("www.acme.io"));
    await platform.settle();
    const claims = await platform.client.list(ClusterDomainClaimKind);
    expect(claims.items.map(({ metadata, spec }) => [metadata.name, spec.namespace])).toEqual([
      ["www.acme.io", "default"],
    ]);
    await platform.client.delete(DomainMappingKind, { namespace: "default", name: "www.acme.io" });
    await platform.settle();
    expect((await platform.client.list(DomainMappingKind)).items).toEqual([]);
    expect((await platform.client.list(ClusterDomainClaimKind)).items).toEqual([]);
    expect(await platform.names(IngressKind)).toEqual(["hello"]);
  });

  test("C-128: without a claim, or with another namespace's, it has no domain", async () => {
    await using platform = await withHello({});
    await platform.client.create(DomainMappingKind, mapping("www.acme.io"));
    await platform.rest();
    const claimed = () => platform.reason(DomainMappingKind, "www.acme.io", "DomainClaimed");
    expect(await claimed()).toBe("False DomainAlreadyClaimed");
    const claim = {
      apiVersion: "networking.internal.knative.dev/v1alpha1",
      kind: "ClusterDomainClaim",
      metadata: { name: "www.acme.io" },
      spec: { namespace: "default" },
    };
    await platform.client.create(ClusterDomainClaimKind, { ...claim, spec: { namespace: "other" } });
    await platform.rest();
    expect(await claimed()).toBe("False DomainAlreadyClaimed");
    await platform.client.delete(ClusterDomainClaimKind, { namespace: "", name: "www.acme.io" });
    await platform.client.create(ClusterDomainClaimKind, claim);
    await platform.settle();
    expect(await platform.reason(DomainMappingKind, "www.acme.io", "Ready")).toBe("True");
    // It was not made for the mapping, so it stays when the mapping goes.
    await platform.client.delete(DomainMappingKind, { namespace: "default", name: "www.acme.io" });
    await platform.settle();
    expect((await platform.client.list(ClusterDomainClaimKind)).items).toHaveLength(1);
  });

  test("CV-35: what it leads to has to be there, and have an address; it comes by itself when it is", async () => {
    await using platform = await FakePlatform.start();
    await platform.config("config-network", AUTOMATIC);
    await platform.client.create(DomainMappingKind, mapping("www.acme.io"));
    await platform.rest();
    const resolved = () => platform.reason(DomainMappingKind, "www.acme.io", "ReferenceResolved");
    expect(await resolved()).toBe("False ResolveFailed");
    await platform.client.create(KnativeServiceKind, hello());
    await platform.settle();
    expect(await resolved()).toBe("True");
    expect(await platform.reason(DomainMappingKind, "www.acme.io", "Ready")).toBe("True");
  });

  test.each([
    { kind: "Service", apiVersion: "v1", name: "plain", want: "True" },
    { kind: "Route", apiVersion: "serving.knative.dev/v1", name: "hello", want: "True" },
    { kind: "Service", apiVersion: "v1", name: "none", want: "False ResolveFailed" },
    {
      kind: "Revision",
      apiVersion: "serving.knative.dev/v1",
      name: "hello-00001",
      want: "False ResolveFailed",
    },
  ])("$kind $apiVersion $name is resolved: $want", async ({ want, ...ref }) => {
    await using platform = await withHello();
    await platform.client.create(ServiceKind, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "plain", namespace: "default" },
      spec: { ports: [{ port: 80 }] },
    });
    await platform.client.create(DomainMappingKind, mapping("www.acme.io", ref));
    await platform.rest();
    expect(await platform.reason(DomainMappingKind, "www.acme.io", "ReferenceResolved")).toBe(want);
  });

  test("with a Secret of its own it is reached by https", async () => {
    await using platform = await withHello();
    const plain = mapping("www.acme.io");
    await platform.client.create(DomainMappingKind, {
      ...plain,
      spec: { ...plain.spec, tls: { secretName: "acme" } },
    });
    await platform.settle();
    const { status } = await platform.get(DomainMappingKind, "www.acme.io");
    expect(status?.url).toBe("https://www.acme.io");
    expect(await platform.reason(DomainMappingKind, "www.acme.io", "CertificateProvisioned")).toBe(
      "True CertificateExternallyProvided",
    );
    expect((await platform.get(IngressKind, "www.acme.io")).spec.tls).toEqual([
      { hosts: ["www.acme.io"], secretName: "acme", secretNamespace: "default" },
    ]);
  });
});
