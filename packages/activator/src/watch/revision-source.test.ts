import {
  InProcessKubeClient,
  ObjectStore,
  type PodAutoscaler,
  PodAutoscalerKind,
  SeededRandom,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { revisionTarget } from "../resolve/revision-target.ts";
import { autoscaledRevision, followRevisions } from "./revision-source.ts";

function world() {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const client = new InProcessKubeClient({
    store: new ObjectStore({ wall: () => clock.wall(), random }),
    clock,
  });
  return { clock, random, client };
}

const autoscaler = (
  spec: Partial<PodAutoscaler["spec"]>,
  annotations: Record<string, string> = {},
): PodAutoscaler => ({
  apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
  kind: "PodAutoscaler",
  metadata: { namespace: "default", name: "hello", annotations },
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello" },
    protocolType: "http1",
    ...spec,
  },
});

test.each([
  { spec: {}, annotations: {}, want: { containerConcurrency: 0, portName: "http", timeoutMs: 300_000 } },
  {
    spec: { containerConcurrency: 7, protocolType: "h2c" as const },
    annotations: {},
    want: { containerConcurrency: 7, portName: "http2" },
  },
  {
    spec: {},
    annotations: { "rouse.dev/timeout": "90s", "rouse.dev/max-wait": "10s" },
    want: { timeoutMs: 90_000, waitMs: 10_000 },
  },
  { spec: {}, annotations: { "rouse.dev/timeout": "soon" }, want: { timeoutMs: 300_000 } },
  { spec: {}, annotations: { "rouse.dev/ready-by": "kubernetes" }, want: { isUsableBeforeReady: false } },
])(
  "without Knative the PodAutoscaler says what its pods take: $spec $annotations",
  async ({ spec, annotations, want }) => {
    const { client } = world();
    const stored = await client.create(PodAutoscalerKind, autoscaler(spec, annotations));
    expect(revisionTarget(autoscaledRevision(stored))).toMatchObject({ key: "default/hello", ...want });
  },
);

test("PodAutoscalers that come, change and go are revisions that do", async () => {
  const { clock, random, client } = world();
  const seen: string[] = [];
  using source = followRevisions({ client, clock, random }, "podautoscalers", {
    changed: ({ metadata, spec }, before) =>
      seen.push(
        `${metadata.name} ${spec.containerConcurrency} ${before?.spec.containerConcurrency ?? "new"}`,
      ),
    removed: ({ metadata }) => seen.push(`${metadata.name} gone`),
  });
  await source.start();
  const stored = await client.create(PodAutoscalerKind, autoscaler({ containerConcurrency: 1 }));
  await client.update(PodAutoscalerKind, { ...stored, spec: { ...stored.spec, containerConcurrency: 2 } });
  await client.delete(PodAutoscalerKind, { namespace: "default", name: "hello" });
  await clock.settle();
  expect(seen).toEqual(["hello 1 new", "hello 2 1", "hello gone"]);
});
