import { labels, type Pod, rouse, type Service, type ServicePort, type Stored } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { endpointSubsets } from "./endpoint-subsets.ts";
import { SelectorIndex, selects } from "./selector-index.ts";

interface PodShape {
  readonly ip?: string;
  readonly isReady?: boolean;
  readonly phase?: "Running" | "Failed" | "Succeeded";
  readonly isTerminating?: boolean;
  readonly queuePort?: number;
  readonly metricsPort?: number;
}

const meta = { namespace: "ns", resourceVersion: "1", generation: 1, creationTimestamp: "" };

function pod(name: string, of: PodShape = {}): Stored<Pod> {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...meta,
      name,
      uid: `uid-${name}`,
      ...(of.isTerminating === true ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
      ...(of.queuePort === undefined ? {} : { annotations: { [rouse.queuePort]: String(of.queuePort) } }),
    },
    spec: {
      nodeName: "rouse",
      containers: [
        { name: "u" },
        { name: "queue-proxy", ports: [{ name: "http-autometric", containerPort: of.metricsPort ?? 9_090 }] },
      ],
    },
    status: {
      phase: of.phase ?? "Running",
      ...(of.ip === undefined ? {} : { podIP: of.ip }),
      conditions: [{ type: "Ready", status: (of.isReady ?? true) ? "True" : "False" }],
    },
  };
}

function service(...ports: readonly ServicePort[]): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "s", namespace: "ns" },
    spec: { selector: { a: "1" }, ports },
  };
}

const http: ServicePort = { name: "http", port: 80, targetPort: 8_012, appProtocol: "kubernetes.io/h2c" };
const metrics: ServicePort = { name: "http-autometric", port: 9_090, targetPort: "http-autometric" };
const reference = (name: string) => ({
  nodeName: "rouse",
  targetRef: { kind: "Pod", namespace: "ns", name, uid: `uid-${name}` },
});

describe("subsets (K-24)", () => {
  test("ready and not ready apart, in the order of addresses; the others nowhere", () => {
    const pods = [
      pod("b", { ip: "127.1.0.2" }),
      pod("a", { ip: "127.1.0.1" }),
      pod("starting", { ip: "127.1.0.3", isReady: false }),
      pod("leaving", { ip: "127.1.0.4", isTerminating: true }),
      pod("failed", { ip: "127.1.0.5", phase: "Failed" }),
      pod("done", { ip: "127.1.0.6", phase: "Succeeded" }),
      pod("nowhere"),
    ];
    expect(endpointSubsets(service(http), pods)).toEqual({
      isPerPod: false,
      subsets: [
        {
          addresses: [
            { ip: "127.1.0.1", ...reference("a") },
            { ip: "127.1.0.2", ...reference("b") },
          ],
          notReadyAddresses: [{ ip: "127.1.0.3", ...reference("starting") }],
          ports: [{ name: "http", port: 8_012, protocol: "TCP", appProtocol: "kubernetes.io/h2c" }],
        },
      ],
    });
  });

  test("the order pods come in changes nothing", () => {
    const pods = [pod("a", { ip: "1" }), pod("b", { ip: "2", metricsPort: 1 }), pod("c", { ip: "3" })];
    const forward = endpointSubsets(service(http, metrics), pods);
    expect(endpointSubsets(service(http, metrics), [...pods].reverse())).toEqual(forward);
  });

  test("a named port is each pod's own, so pods that differ are in subsets of their own", () => {
    const pods = [pod("a", { ip: "1" }), pod("b", { ip: "2", metricsPort: 9_999 })];
    const { subsets } = endpointSubsets(service(metrics), pods);
    expect(subsets.map(({ addresses, ports }) => [addresses?.[0]?.ip, ports?.[0]?.port])).toEqual([
      ["1", 9_090],
      ["2", 9_999],
    ]);
  });

  test("a port name the pod does not have is left out, a target left out is the port itself", () => {
    const { subsets } = endpointSubsets(service({ port: 81 }, { name: "x", port: 1, targetPort: "none" }), [
      pod("a", { ip: "1" }),
    ]);
    expect(subsets[0]?.ports).toEqual([{ port: 81, protocol: "TCP" }]);
  });

  test.each([{ target: 8_012 }, { target: 8_013 }, { target: "queue-port" }])(
    "pods that share an address are told apart by their own port: target $target",
    ({ target }) => {
      const pods = [
        pod("a", { ip: "127.0.0.1", queuePort: 20_001 }),
        pod("b", { ip: "127.0.0.1", queuePort: 20_002, isReady: false }),
      ];
      const result = endpointSubsets(service({ name: "http", port: 80, targetPort: target }), pods);
      expect(result.isPerPod).toBe(true);
      expect(result.subsets.map(({ ports }) => ports?.[0]?.port)).toEqual([20_001, 20_002]);
      expect(result.subsets.map(({ addresses = [] }) => addresses.length)).toEqual([1, 0]);
    },
  );

  test("no pods, no subsets", () => {
    expect(endpointSubsets(service(http), [])).toEqual({ subsets: [], isPerPod: false });
  });
});

describe("which Services select a pod", () => {
  const stored = (
    name: string,
    selector: Record<string, string> | undefined,
    namespace = "ns",
  ): Stored<Service> => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...meta, name, namespace, uid: name },
    spec: selector === undefined ? {} : { selector },
  });

  test("those of its namespace whose whole selector it carries", () => {
    const index = new SelectorIndex();
    const all = [
      stored("both", { a: "1", b: "2" }),
      stored("a", { a: "1" }),
      stored("other-value", { a: "2" }),
      stored("none", undefined),
      stored("empty", {}),
      stored("elsewhere", { a: "1" }, "other"),
    ];
    for (const one of all) index.add(one);
    const found = (of: Record<string, string>) => [...index.matching("ns", of)].sort();
    expect(found({ a: "1", b: "2", c: "3" })).toEqual(["ns/a", "ns/both"]);
    expect(found({ a: "1" })).toEqual(["ns/a"]);
    expect(found({ [labels.app]: "x" })).toEqual([]);
    index.remove(stored("a", { a: "1" }));
    expect(found({ a: "1" })).toEqual([]);
  });

  test("a Service without a selector selects nothing", () => {
    expect(selects(stored("none", undefined), { a: "1" })).toBe(false);
    expect(selects(stored("empty", {}), { a: "1" })).toBe(false);
  });
});
