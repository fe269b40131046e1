import type { Explanation } from "@rouse/embedded";
import {
  apiVersion,
  HorizontalPodAutoscalerKind,
  InProcessKubeClient,
  KnativeServiceKind,
  labels,
  ObjectStore,
  type Revision,
  RevisionKind,
  SeededRandom,
  type Stored,
  type WallMs,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { explain, explanationLines } from "./explain.ts";

const spec = {
  metric: "concurrency",
  targetValue: 7,
  totalValue: 10,
  targetBurstCapacity: 0,
  maxScaleUpRate: 1_000,
  maxScaleDownRate: 2,
  panicThreshold: 2,
  stableWindowMs: 60_000,
  scaleDownDelayMs: 0,
  initialScale: 1,
  isReachable: true,
  activationScale: 0,
} as const;

const explanation: Explanation = {
  pods: { ready: 2, notReady: 1, pending: 0, terminating: 0 },
  decider: { spec, mode: { kind: "calm" }, desiredPods: 3, excessBurstCapacity: 0 },
  ticks: [
    { kind: "no-data", at: 1_767_225_600_000 as WallMs, readyPods: 2 },
    {
      kind: "decided",
      at: 1_767_225_602_000 as WallMs,
      evaluation: {
        readyPods: 2,
        stable: 15.5,
        panic: 20,
        podsByStable: 3,
        podsByPanic: 3,
        podsAtMost: 2_000,
        podsAtLeast: 1,
        isOverPanicThreshold: false,
        mode: "calm",
        cut: "none",
        desiredPods: 3,
        excessBurstCapacity: 0,
      },
    },
  ],
  applied: {
    at: 1_767_225_602_000 as WallMs,
    desiredPods: 3,
    bounds: { min: 0, max: 2 },
    cut: "max-scale",
    want: 2,
    zero: undefined,
    mode: { mode: "Serve", activators: 2 },
  },
};

test("the pass, the answer to why not zero, the formula, and the latest ticks first", () => {
  expect(explanationLines(explanation)).toEqual([
    "now       2 ready, 1 not yet; calm; spare for a burst 0",
    "scale     wants 2 pods; cut to the maximum (0 to 2); Serve mode: its pods could take 0 requests more than the burst aimed for",
    "not zero  the load asks for pods",
    "because   3 pods: 15.5 requests at a time over 60 s / 7 each: 3 pods; 20 over the panic window: 3 pods",
    "ticks     at                    ready   stable    panic   wants  cut by",
    "          2026-01-01T00:00:02Z      2     15.5       20       3  -",
    "          2026-01-01T00:00:00Z      2  nothing was measured, so nothing changes",
  ]);
});

async function platform(answer: object = { explanation }) {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const objects = new InProcessKubeClient({
    store: new ObjectStore({ wall: () => clock.wall(), random }),
    clock,
  });
  const metadata = { namespace: "default", name: "hello" };
  const template = { spec: { containers: [] } };
  await objects.create(KnativeServiceKind, {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata,
    spec: { template },
  });
  const revision: Revision = {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: { namespace: "default", name: "hello-00001", labels: { [labels.service]: "hello" } },
    spec: { containers: [] },
  };
  const stored: Stored<Revision> = await objects.create(RevisionKind, revision);
  const asked: string[] = [];
  const lines: string[] = [];
  const client = {
    get: objects.get.bind(objects),
    list: objects.list.bind(objects),
    page: async <P>(path: string): Promise<P> => {
      asked.push(path);
      return JSON.parse(JSON.stringify(answer));
    },
  };
  const output = { out: (line: string) => lines.push(line), err: (line: string) => lines.push(line) };
  return { deps: { client, clock, output }, objects, asked, lines, stored };
}

test("every revision of the service is asked for, and JSON has all of it", async () => {
  const { deps, asked, lines } = await platform();
  await explain(deps, { name: "hello", namespace: "default", isJson: true });
  expect(asked).toEqual(["/rouse/explain?revision=default%2Fhello-00001"]);
  expect(JSON.parse(lines.join("\n"))).toEqual([
    { revision: "hello-00001", explanation: JSON.parse(JSON.stringify(explanation)) },
  ]);
});

test("of a revision that an HPA scales it says what the HPA measured, wants and was held by", async () => {
  const { deps, objects, lines } = await platform({});
  await explain(deps, { name: "hello", namespace: "default", isJson: false });
  const hpa = await objects.create(HorizontalPodAutoscalerKind, {
    apiVersion: apiVersion(HorizontalPodAutoscalerKind),
    kind: "HorizontalPodAutoscaler",
    metadata: { namespace: "default", name: "hello-00001" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello-00001-deployment" },
      maxReplicas: 6,
      metrics: [
        {
          type: "Resource",
          resource: { name: "memory", target: { type: "AverageValue", averageValue: "150Mi" } },
        },
      ],
    },
  });
  await objects.updateStatus(HorizontalPodAutoscalerKind, {
    ...hpa,
    status: {
      currentReplicas: 1,
      desiredReplicas: 1,
      currentMetrics: [
        { type: "Resource", resource: { name: "memory", current: { averageValue: "462Mi" } } },
      ],
      conditions: [
        { type: "AbleToScale", status: "True", message: "recent recommendations were lower" },
        { type: "ScalingActive", status: "True", message: "the metrics ask for 4 pods" },
        { type: "ScalingLimited", status: "False", message: "within range" },
      ],
    },
  });
  await explain(deps, { name: "hello", namespace: "default", isJson: false });
  expect(lines).toEqual([
    "hello-00001",
    "  nobody scales it yet",
    "hello-00001",
    "  now       pods: 1; its HPA wants 1 (1 to 6)",
    "  not zero  revisions of the class hpa.autoscaling.knative.dev do not go to zero",
    "  metric    memory: 462Mi, 150Mi aimed at, as an average of its pods",
    "  because   the metrics ask for 4 pods; recent recommendations were lower",
  ]);
});

test("a service that is not there is said to be none", async () => {
  const { deps } = await platform();
  const outcome = explain(deps, { name: "nobody", namespace: "default", isJson: false });
  await expect(outcome).rejects.toThrow(/nobody/);
});
