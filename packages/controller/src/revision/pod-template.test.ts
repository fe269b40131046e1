import type { Container, Probe, Revision, Stored } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { revisionOf, settings } from "../../test/stored.ts";
import { makePodTemplate } from "./pod-template.ts";

const K = "serving.knative.dev";
const revision = (...containers: Container[]): Stored<Revision> =>
  revisionOf("hello-00001", {
    meta: {
      uid: "r-1",
      labels: {
        v: "1",
        [`${K}/configuration`]: "hello",
        [`${K}/configurationGeneration`]: "1",
        [`${K}/configurationUID`]: "c-1",
        [`${K}/service`]: "hello",
        [`${K}/serviceUID`]: "s-1",
        [`${K}/routingState`]: "active",
      },
      annotations: {
        "autoscaling.knative.dev/min-scale": "1",
        [`${K}/creator`]: "alice",
        [`${K}/routes`]: "hello",
        [`${K}/routingStateModified`]: "2026-01-02T03:04:05Z",
        "rouse.dev/command": "node server.mjs",
      },
    },
    spec: { containers, containerConcurrency: 3, timeoutSeconds: 300, idleTimeoutSeconds: 9 },
  });
const plain: Container = { name: "user-container", image: "x", env: [{ name: "A", value: "b" }] };
const variable = (container: Container | undefined, name: string): string | undefined =>
  container?.env?.find((one) => one.name === name)?.value;

test("CV-8: labels without routing state, annotations without scaling and bookkeeping", () => {
  const { metadata } = makePodTemplate(revision(plain), settings);
  expect(metadata?.labels).toEqual({
    v: "1",
    app: "hello-00001",
    [`${K}/configuration`]: "hello",
    [`${K}/configurationGeneration`]: "1",
    [`${K}/configurationUID`]: "c-1",
    [`${K}/service`]: "hello",
    [`${K}/serviceUID`]: "s-1",
    [`${K}/revision`]: "hello-00001",
    [`${K}/revisionUID`]: "r-1",
  });
  expect(metadata?.annotations).toEqual({
    [`${K}/creator`]: "alice",
    "kubectl.kubernetes.io/default-container": "user-container",
    "rouse.dev/command": "node server.mjs",
  });
});

test("CV-8, Q-63, Q-90: the user's container gets the contract's port and environment, and no readiness probe", () => {
  const probed = { ...plain, readinessProbe: { tcpSocket: { port: 0 }, successThreshold: 1 } };
  const { spec } = makePodTemplate(revision(probed), settings);
  expect(spec.terminationGracePeriodSeconds).toBe(300);
  expect(spec).not.toHaveProperty("containerConcurrency");
  expect(spec).not.toHaveProperty("idleTimeoutSeconds");
  expect(spec.containers[0]).toEqual({
    name: "user-container",
    image: "x",
    ports: [{ name: "user-port", containerPort: 8080, protocol: "TCP" }],
    env: [
      { name: "A", value: "b" },
      { name: "PORT", value: "8080" },
      { name: "K_REVISION", value: "hello-00001" },
      { name: "K_CONFIGURATION", value: "hello" },
      { name: "K_SERVICE", value: "hello" },
    ],
    lifecycle: { preStop: { httpGet: { port: 8022, path: "/wait-for-drain" } } },
    stdin: false,
    tty: false,
    terminationMessagePolicy: "FallbackToLogsOnError",
  });
});

test("CV-8, C-53, Q-1, Q-89, Q-90: queue-proxy comes last, with its ports, its readiness and what it needs to know", () => {
  const probed = { ...plain, readinessProbe: { tcpSocket: { port: 0 }, successThreshold: 1 } };
  const sidecar = makePodTemplate(revision(probed), settings).spec.containers.at(-1);
  expect(sidecar?.name).toBe("queue-proxy");
  expect(sidecar?.ports?.map(({ name, containerPort }) => `${name} ${containerPort}`)).toEqual([
    "http-autometric 9090",
    "http-usermetric 9091",
    "queue-port 8012",
    "https-port 8112",
  ]);
  expect(sidecar?.readinessProbe).toEqual({
    httpGet: { port: 8012, httpHeaders: [{ name: "K-Network-Probe", value: "queue" }] },
    successThreshold: 1,
  });
  const wanted = {
    CONTAINER_CONCURRENCY: "3",
    QUEUE_SERVING_PORT: "8012",
    QUEUE_SERVING_TLS_PORT: "8112",
    USER_PORT: "8080",
    REVISION_TIMEOUT_SECONDS: "300",
    REVISION_RESPONSE_START_TIMEOUT_SECONDS: "0",
    REVISION_IDLE_TIMEOUT_SECONDS: "9",
    SERVING_NAMESPACE: "default",
    SERVING_SERVICE: "hello",
    SERVING_CONFIGURATION: "hello",
    SERVING_REVISION: "hello-00001",
    SERVING_READINESS_PROBE: '{"tcpSocket":{"port":8080,"host":"127.0.0.1"},"successThreshold":1}',
  };
  for (const [name, value] of Object.entries(wanted))
    expect([name, variable(sidecar, name)]).toEqual([name, value]);
});

test("CV-9, Q-3: a port named h2c moves queue-proxy to 8013", () => {
  const h2c = { ...plain, ports: [{ name: "h2c", containerPort: 9000 }] };
  const [user, sidecar] = makePodTemplate(revision(h2c), settings).spec.containers;
  expect(user?.ports).toEqual([{ name: "user-port", containerPort: 9000, protocol: "TCP" }]);
  expect(variable(user, "PORT")).toBe("9000");
  expect(sidecar?.ports?.[2]).toMatchObject({ name: "queue-port", containerPort: 8013 });
  expect(variable(sidecar, "QUEUE_SERVING_PORT")).toBe("8013");
});

describe("CV-10: probes", () => {
  const row = (given: Probe, want: Probe, keeps = false): { given: Probe; want: Probe; keeps: boolean } => ({
    given,
    want,
    keeps,
  });
  const httpGet = { path: "/r", host: "127.0.0.1", scheme: "HTTP" };
  test.each([
    row({ httpGet: { path: "/r", port: 0 } }, { httpGet: { ...httpGet, port: 8080 } }),
    row({ httpGet: { path: "/r", port: 9999 } }, { httpGet: { ...httpGet, port: 9999 } }),
    row({ httpGet: { path: "/r", port: "http1" } }, { httpGet: { ...httpGet, port: 8080 } }),
    row({ exec: { command: ["true"] } }, { tcpSocket: { port: 8080, host: "127.0.0.1" } }, true),
    row({ grpc: { port: 0 } }, { grpc: { port: 8080 } }),
  ])("readiness $given becomes $want", ({ given, want, keeps }) => {
    const [user, sidecar] = makePodTemplate(revision({ ...plain, readinessProbe: given }), settings).spec
      .containers;
    expect(JSON.parse(variable(sidecar, "SERVING_READINESS_PROBE") ?? "")).toEqual(want);
    expect(user?.readinessProbe).toEqual(keeps ? given : undefined);
  });

  test("liveness over HTTP or TCP goes to the user port, the others stay", () => {
    const livenessOf = (livenessProbe: Probe): Probe | undefined =>
      makePodTemplate(revision({ ...plain, livenessProbe }), settings).spec.containers[0]?.livenessProbe;
    expect(livenessOf({ httpGet: { port: 5 } })).toEqual({ httpGet: { port: 8080 } });
    expect(livenessOf({ grpc: { port: 7 } })).toEqual({ grpc: { port: 7 } });
  });
});

test("CV-11: of two containers the one with the port serves, both know what they belong to", () => {
  const { metadata, spec } = makePodTemplate(
    revision({ name: "side" }, { name: "main", ports: [{ containerPort: 7000 }] }),
    settings,
  );
  expect(spec.containers.map(({ name }) => name)).toEqual(["side", "main", "queue-proxy"]);
  expect(spec.containers.map((container) => variable(container, "PORT"))).toEqual([
    undefined,
    "7000",
    undefined,
  ]);
  expect(spec.containers.map((container) => variable(container, "K_REVISION"))).toEqual([
    "hello-00001",
    "hello-00001",
    undefined,
  ]);
  expect(metadata?.annotations?.["kubectl.kubernetes.io/default-container"]).toBe("main");
});

describe("with multi-container-probing", () => {
  const probing = { ...settings, features: { ...settings.features, multiContainerProbing: true } };
  const tcp = (port: number): Probe => ({ tcpSocket: { port } });

  test("C-54: queue-proxy asks the serving container first, then each that has a probe it can ask", () => {
    const containers = makePodTemplate(
      revision(
        { name: "side", readinessProbe: tcp(7001) },
        { name: "main", ports: [{ containerPort: 7000 }] },
        { name: "silent" },
        { name: "command", readinessProbe: { exec: { command: ["true"] } } },
      ),
      probing,
    ).spec.containers;
    const sidecar = containers.at(-1);
    expect(JSON.parse(variable(sidecar, "SERVING_READINESS_PROBE") ?? "")).toEqual([
      { tcpSocket: { port: 7000, host: "127.0.0.1" } },
      { tcpSocket: { port: 7001, host: "127.0.0.1" } },
    ]);
    expect(variable(sidecar, "ENABLE_MULTI_CONTAINER_PROBES")).toBe("true");
    expect(containers.map(({ readinessProbe }) => readinessProbe?.exec !== undefined)).toEqual([
      false,
      false,
      false,
      true,
      false,
    ]);
  });

  test("C-54: a sidecar's probe without a port fails", () => {
    const main = { name: "main", ports: [{ containerPort: 7000 }] };
    const side = { name: "side", readinessProbe: { httpGet: { path: "/" } } };
    expect(() => makePodTemplate(revision(main, side), probing)).toThrow("sidecar side");
  });

  test("C-52, CV-10: a liveness port that is a number stays", () => {
    const of = revision({ name: "c", livenessProbe: { httpGet: { port: 5 } } });
    expect(makePodTemplate(of, probing).spec.containers[0]?.livenessProbe).toEqual({ httpGet: { port: 5 } });
  });
});

test("C-51: pods rather keep apart from each other, unless the revision or config-deployment says otherwise", () => {
  const affinityOf = (template: ReturnType<typeof makePodTemplate>): unknown =>
    Reflect.get(template.spec, "affinity");
  expect(affinityOf(makePodTemplate(revision(plain), settings))).toEqual({
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: {
            topologyKey: "kubernetes.io/hostname",
            labelSelector: { matchLabels: { "serving.knative.dev/revision": "hello-00001" } },
          },
        },
      ],
    },
  });
  const none = { ...settings, deployment: { ...settings.deployment, spreadsPods: false } };
  expect(affinityOf(makePodTemplate(revision(plain), none))).toBeUndefined();
});
