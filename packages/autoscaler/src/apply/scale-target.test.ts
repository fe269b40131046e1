import { apiVersion, type Deployment, DeploymentKind, type PodAutoscaler, type Stored } from "@rouse/shared";
import { expect, test } from "vitest";
import { ScaleTarget } from "./scale-target.ts";

const meta = {
  namespace: "default",
  name: "hello-00001",
  uid: "u",
  resourceVersion: "7",
  generation: 1,
  creationTimestamp: "2026-01-01T00:00:00Z",
};
const autoscaler: Stored<PodAutoscaler> = {
  apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
  kind: "PodAutoscaler",
  metadata: meta,
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello-00001-deployment" },
    protocolType: "http1",
  },
};

function scaling(replicas: number | undefined) {
  const deployment: Stored<Deployment> = {
    apiVersion: apiVersion(DeploymentKind),
    kind: "Deployment",
    metadata: { ...meta, name: "hello-00001-deployment" },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: {} },
      template: { spec: { containers: [] } },
    },
  };
  const patches: unknown[] = [];
  const target = new ScaleTarget(
    {
      patch: (kind, ref, patch, subresource) => {
        patches.push([kind.kind, ref.name, patch, subresource]);
        return Promise.reject(new Error("seen"));
      },
    },
    {
      get: (key) => (key === "default/hello-00001-deployment" ? deployment : undefined),
    },
  );
  return { target, patches };
}

test.each([
  { replicas: undefined, wanted: 1 },
  { replicas: 3, wanted: 3 },
])("S-98: $replicas replicas are $wanted: nothing is written", async ({ replicas, wanted }) => {
  const { target, patches } = scaling(replicas);
  expect(target.replicas(autoscaler)).toBe(wanted);
  await target.scale(autoscaler, wanted);
  expect(patches).toEqual([]);
});

test("S-98: another scale is one JSON patch of the scale, and its failure is the pass's", async () => {
  const { target, patches } = scaling(undefined);
  await expect(target.scale(autoscaler, 2)).rejects.toThrow("seen");
  expect(patches).toEqual([
    [
      "Deployment",
      "hello-00001-deployment",
      { kind: "json", operations: [{ op: "add", path: "/spec/replicas", value: 2 }] },
      "scale",
    ],
  ]);
});
