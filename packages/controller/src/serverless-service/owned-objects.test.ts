import type { ServerlessService, Stored } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { makePrivateService, makePublicService, privateServiceName } from "./owned-objects.ts";

const sksOf = (protocolType: "http1" | "h2c"): Stored<ServerlessService> => ({
  apiVersion: "networking.internal.knative.dev/v1alpha1",
  kind: "ServerlessService",
  metadata: {
    name: "hello-00001",
    namespace: "default",
    uid: "u-1",
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: "2026-01-01T00:00:00Z",
    labels: { "serving.knative.dev/revision": "hello-00001" },
    annotations: { note: "n" },
  },
  spec: {
    mode: "Serve",
    protocolType,
    objectRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello-00001-deployment" },
  },
});

test.each([
  { name: "foo", want: "foo-private" },
  { name: "f".repeat(55), want: `${"f".repeat(55)}-private` },
  { name: "f".repeat(63), want: "fffffffffffffffffffffff105d7597f637e83cc711605ac3ea4957-private" },
])("W-11, K-20: the private Service of $name is $want", ({ name, want }) => {
  expect(privateServiceName(name)).toBe(want);
});

describe("K-15…K-17, K-22, K-27, Q-10: ports", () => {
  test("of an http1 revision", () => {
    const shape = (service: {
      spec: { ports?: readonly { name?: string; port: number; targetPort?: number | string }[] };
    }) => service.spec.ports?.map(({ name, port, targetPort }) => `${name} ${port}→${targetPort}`);
    expect(shape(makePublicService(sksOf("http1")))).toEqual(["http 80→8012", "https 443→8112"]);
    expect(shape(makePrivateService(sksOf("http1"), {}))).toEqual([
      "http 80→8012",
      "https 443→8112",
      "http-autometric 9090→http-autometric",
      "http-usermetric 9091→http-usermetric",
      "http-istio 8012→8012",
    ]);
  });

  test("W-9: of an h2c revision", () => {
    const h2c = { name: "http2", protocol: "TCP", appProtocol: "kubernetes.io/h2c", targetPort: 8013 };
    expect(makePublicService(sksOf("h2c")).spec.ports?.[0]).toEqual({ ...h2c, port: 81 });
    const ports = makePrivateService(sksOf("h2c"), {}).spec.ports;
    expect(ports?.[0]).toEqual({ ...h2c, port: 80 });
    expect(ports?.[4]).toEqual({ name: "http2-istio", protocol: "TCP", port: 8013, targetPort: 8013 });
  });
});

test("K-18, K-19: owned objects carry the labels and annotations of the ServerlessService, and two of their own", () => {
  const { metadata, spec } = makePrivateService(sksOf("http1"), { "serving.knative.dev/revisionUID": "r-1" });
  expect(metadata.labels).toEqual({
    "serving.knative.dev/revision": "hello-00001",
    "networking.internal.knative.dev/serverlessservice": "hello-00001",
    "networking.internal.knative.dev/serviceType": "Private",
  });
  expect(metadata.annotations).toEqual({ note: "n" });
  expect(metadata.ownerReferences).toEqual([
    expect.objectContaining({ uid: "u-1", controller: true, blockOwnerDeletion: true }),
  ]);
  expect(spec.selector).toEqual({ "serving.knative.dev/revisionUID": "r-1" });
  expect(makePublicService(sksOf("http1")).spec.selector).toBeUndefined();
});
