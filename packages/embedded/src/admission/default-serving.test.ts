import { type AnyObject, KnativeServiceKind } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { defaultServing, specOf } from "./default-serving.ts";
import type { ServingContainer, ServingSpec } from "./pod-spec.ts";
import { type AdmissionSettings, defaultSettings } from "./settings.ts";

function defaulted(spec: Partial<ServingSpec>, settings: Partial<AdmissionSettings> = {}): ServingSpec {
  const object: AnyObject = {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "hello", namespace: "default" },
    spec: { template: { spec: { containers: [{ image: "x" }], ...spec } } },
  };
  const all = { ...defaultSettings, ...settings };
  return specOf(defaultServing(KnativeServiceKind, object, { settings: all })).template?.spec ?? {};
}

const named = (...names: readonly string[]) =>
  names.map((name, index) => ({
    image: "x",
    name,
    ...(index === 1 ? { ports: [{ containerPort: 80 }] } : {}),
  }));

const namesOf = (containers: readonly ServingContainer[] | undefined) => containers?.map(({ name }) => name);

test("CV-1: a minimal spec gets a name, a timeout, unlimited concurrency and a probe of its port", () => {
  expect(defaulted({})).toEqual({
    containerConcurrency: 0,
    timeoutSeconds: 300,
    enableServiceLinks: false,
    containers: [
      {
        name: "user-container",
        image: "x",
        resources: {},
        readinessProbe: { successThreshold: 1, tcpSocket: { port: 0 } },
      },
    ],
  });
});

test("C-150: defaults applied twice are the same as once", () => {
  const once = defaulted({ timeoutSeconds: 600, containers: named("", "") });
  expect(defaulted(once)).toEqual(once);
});

describe("timeouts (CV-2)", () => {
  test.each<{
    given: Partial<ServingSpec>;
    settings?: Partial<AdmissionSettings>;
    want: readonly (number | undefined)[];
  }>([
    { given: { timeoutSeconds: 0 }, want: [300, undefined, undefined] },
    { given: { timeoutSeconds: 600 }, want: [600, 300, undefined] },
    { given: { timeoutSeconds: 120 }, want: [120, undefined, undefined] },
    { given: { timeoutSeconds: 600, responseStartTimeoutSeconds: 0 }, want: [600, 0, undefined] },
    {
      given: { timeoutSeconds: 600 },
      settings: { revisionTimeoutSeconds: 200, responseStartTimeoutSeconds: 200 },
      want: [600, 200, undefined],
    },
    { given: { timeoutSeconds: 300 }, settings: { idleTimeoutSeconds: 60 }, want: [300, undefined, 60] },
    { given: { timeoutSeconds: 60 }, settings: { idleTimeoutSeconds: 60 }, want: [60, undefined, undefined] },
  ])("$given with $settings: $want", ({ given, settings, want }) => {
    const { timeoutSeconds, responseStartTimeoutSeconds, idleTimeoutSeconds } = defaulted(given, settings);
    expect([timeoutSeconds, responseStartTimeoutSeconds, idleTimeoutSeconds]).toEqual(want);
  });
});

describe("names (CV-3)", () => {
  test("are numbered where there are several, past those that are taken", () => {
    expect(namesOf(defaulted({ containers: named("", "") }).containers)).toEqual([
      "user-container-0",
      "user-container-1",
    ]);
    const taken = [
      "user-container-1",
      "",
      "user-container-3",
      "",
      "user-container-5",
      "",
      "",
      "user-container-4",
    ];
    const given = defaulted({ containers: named(...taken) }).containers;
    expect(namesOf(given)?.filter((_, index) => taken[index] === "")).toEqual(
      [0, 2, 6, 7].map((number) => `user-container-${number}`),
    );
  });

  test("are plain where there is one", () => {
    const spec = defaulted({ containers: [{ image: "x" }], initContainers: [{ image: "y" }] });
    expect([namesOf(spec.containers), namesOf(spec.initContainers)]).toEqual([
      ["user-container"],
      ["init-container"],
    ]);
  });
});

describe("probes (CV-4)", () => {
  const probe = (readinessProbe: ServingContainer["readinessProbe"]) =>
    defaulted({ containers: [{ image: "x", ...(readinessProbe && { readinessProbe }) }] }).containers?.[0]
      ?.readinessProbe;

  test.each([
    { given: { httpGet: { path: "/h" } }, want: { httpGet: { path: "/h" }, successThreshold: 1 } },
    {
      given: { periodSeconds: 10 },
      want: {
        periodSeconds: 10,
        tcpSocket: { port: 0 },
        successThreshold: 1,
        failureThreshold: 3,
        timeoutSeconds: 1,
      },
    },
    { given: { grpc: {} }, want: { grpc: { service: "" }, successThreshold: 1 } },
    { given: undefined, want: { tcpSocket: { port: 0 }, successThreshold: 1 } },
  ])("$given: $want", ({ given, want }) => {
    expect(probe(given)).toEqual(want);
  });

  test("a container beside the serving one gets none", () => {
    const { containers } = defaulted({ containers: named("a", "b") });
    expect(containers?.map(({ readinessProbe }) => readinessProbe !== undefined)).toEqual([false, true]);
  });
});

test("mounts of what cannot be written to are read-only", () => {
  const containers = [
    {
      image: "x",
      volumeMounts: [
        { name: "a", mountPath: "/a" },
        { name: "b", mountPath: "/b", readOnly: false },
      ],
    },
  ];
  const volumes = [
    { name: "a", emptyDir: {} },
    { name: "b", configMap: {} },
  ];
  expect(defaulted({ containers, volumes }).containers?.[0]?.volumeMounts).toEqual([
    { name: "a", mountPath: "/a" },
    { name: "b", mountPath: "/b", readOnly: true },
  ]);
});

test("quantities of config-defaults go where a container says nothing of the resource (§14.2)", () => {
  const resources = { requests: { cpu: "100m", memory: "1Gi" }, limits: { cpu: "1" } };
  const containers = [{ image: "x", resources: { requests: { cpu: "2" }, claims: [] } }];
  expect(defaulted({ containers }, { resources }).containers?.[0]?.resources).toEqual({
    requests: { cpu: "2", memory: "1Gi" },
    limits: { cpu: "1" },
    claims: [],
  });
  expect(defaulted({}, { resources }).containers?.[0]?.resources).toEqual(resources);
});

describe("secure-pod-defaults (§14.2)", () => {
  const secure = { allowPrivilegeEscalation: false, seccompProfile: { type: "RuntimeDefault" } };
  const drop = ["ALL"];
  test.each<{
    why: string;
    mode: AdmissionSettings["securePodDefaults"];
    container?: Partial<ServingContainer>;
    pod?: object;
    want: object | undefined;
  }>([
    { why: "off, nothing", mode: "disabled", want: undefined },
    {
      why: "enabled, no root",
      mode: "enabled",
      want: { ...secure, capabilities: { drop }, runAsNonRoot: true },
    },
    { why: "allowrootbounded, root", mode: "allowrootbounded", want: { ...secure, capabilities: { drop } } },
    {
      why: "a low port may be bound",
      mode: "allowrootbounded",
      container: { ports: [{ containerPort: 80 }] },
      want: { ...secure, capabilities: { drop, add: ["NET_BIND_SERVICE"] } },
    },
    {
      why: "what the container says stays",
      mode: "enabled",
      container: { securityContext: { runAsNonRoot: false, capabilities: {} } },
      want: { ...secure, capabilities: {}, runAsNonRoot: false },
    },
    {
      why: "what the pod says holds for it",
      mode: "enabled",
      pod: { securityContext: { runAsNonRoot: true, seccompProfile: { type: "Unconfined" } } },
      want: { allowPrivilegeEscalation: false, capabilities: { drop } },
    },
  ])("$why", ({ mode, container = {}, pod = {}, want }) => {
    const { containers } = defaulted(
      { containers: [{ image: "x", ...container }], ...pod },
      { securePodDefaults: mode },
    );
    expect(containers?.[0]?.securityContext).toEqual(want);
  });
});
