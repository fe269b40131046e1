import { describe, expect, test } from "vitest";
import { routeOf, settings } from "../../test/stored.ts";
import type { Settings } from "../settings/settings.ts";
import type { Visibility } from "./hosts.ts";
import { makeIngress, type Routing } from "./ingress.ts";
import { NO_PACE, rolloutBaseline } from "./rollout-state.ts";
import type { Target } from "./traffic.ts";

const K = "serving.knative.dev";
const target = (revisionName: string, rest: Partial<Target> = {}): Target => ({
  tag: "",
  revisionName,
  configurationName: "",
  isLatest: false,
  percent: 100,
  protocol: "http1",
  ...rest,
});
const route = routeOf("hello", [], {
  labels: { team: "a", [`${K}/service`]: "hello" },
  annotations: { note: "n", "kubectl.kubernetes.io/last-applied-configuration": "{}" },
});
const main = target("hello-00001", { configurationName: "hello", isLatest: true });
const groups = new Map([
  ["", [main, target("hello-00000", { percent: 0 })]],
  ["blue", [target("hello-00000", { tag: "blue" })]],
]);
const routingOf = (rest: Partial<Routing> = {}, given: Partial<Settings> = {}): Routing => ({
  groups,
  rollout: rolloutBaseline(rest.groups ?? groups),
  visibility: (): Visibility => "ExternalIP",
  naming: { settings: { ...settings, ...given }, clusterDomain: "cluster.local", domainSuffix: undefined },
  ...rest,
});
const split = (serviceName: string, servicePort = 80) => ({
  serviceNamespace: "default",
  serviceName,
  servicePort,
  percent: 100,
  appendHeaders: { "Knative-Serving-Revision": serviceName, "Knative-Serving-Namespace": "default" },
});

describe("CV-20, C-85, C-86, C-89, C-101: the KIngress of a route with a tag at 0 %", () => {
  const { metadata, spec } = makeIngress(route, routingOf());

  test("its metadata", () => {
    expect(metadata.name).toBe("hello");
    expect(metadata.labels).toEqual({
      team: "a",
      [`${K}/service`]: "hello",
      [`${K}/route`]: "hello",
      [`${K}/routeNamespace`]: "default",
    });
    expect(metadata.annotations).toEqual({
      note: "n",
      "networking.knative.dev/ingress.class": "rouse.ingress.networking.knative.dev",
      "networking.internal.knative.dev/rollout":
        '{"configurations":[{"configurationName":"hello","percent":100,"revisions":[{"revisionName":"hello-00001","percent":100}],"stepParams":{}}]}',
      "networking.internal.knative.dev/tag-to-host":
        '{"blue":["blue-hello.default.svc.cluster.local","blue-hello.default.example.com"]}',
    });
  });

  test("its rules, inside before outside, the route before its tags", () => {
    expect(spec.httpOption).toBe("Enabled");
    expect(spec.rules.map(({ visibility, hosts }) => [visibility, ...hosts])).toEqual([
      ["ClusterLocal", "hello.default", "hello.default.svc", "hello.default.svc.cluster.local"],
      ["ExternalIP", "hello.default.example.com"],
      [
        "ClusterLocal",
        "blue-hello.default",
        "blue-hello.default.svc",
        "blue-hello.default.svc.cluster.local",
      ],
      ["ExternalIP", "blue-hello.default.example.com"],
    ]);
    expect(spec.rules.map(({ http }) => http.paths)).toEqual(
      ["hello-00001", "hello-00001", "hello-00000", "hello-00000"].map((name) => [{ splits: [split(name)] }]),
    );
  });
});

test("CV-20, C-75, C-85: a hidden tag has no public rule", () => {
  const visibility = (tag: string): Visibility => (tag === "blue" ? "ClusterLocal" : "ExternalIP");
  const { metadata, spec } = makeIngress(route, routingOf({ visibility }));
  expect(spec.rules.map((rule) => rule.visibility)).toEqual(["ClusterLocal", "ExternalIP", "ClusterLocal"]);
  expect(metadata.annotations?.["networking.internal.knative.dev/tag-to-host"]).toBe(
    '{"blue":["blue-hello.default.svc.cluster.local"]}',
  );
});

test("C-87: with routing by tag header, the header goes before the default", () => {
  const features = { ...settings.features, routesByTagHeader: true };
  const { spec } = makeIngress(route, routingOf({}, { features }));
  expect(spec.rules[0]?.http.paths).toEqual([
    { headers: { "Knative-Serving-Tag": { exact: "blue" } }, splits: [split("hello-00000")] },
    { appendHeaders: { "Knative-Serving-Default-Route": "true" }, splits: [split("hello-00001")] },
  ]);
  expect(spec.rules[2]?.http.paths).toEqual([
    { appendHeaders: { "Knative-Serving-Tag": "blue" }, splits: [split("hello-00000")] },
  ]);
});

test("C-86: a target that is rolling out has a split per revision", () => {
  const revisions = [
    { revisionName: "hello-00000", percent: 99 },
    { revisionName: "hello-00001", percent: 1 },
  ];
  const rollout = [{ configurationName: "hello", tag: "", percent: 100, revisions, pace: NO_PACE }];
  const { spec } = makeIngress(route, routingOf({ rollout }));
  expect(spec.rules[1]?.http.paths[0]?.splits).toEqual([
    { ...split("hello-00000"), percent: 99 },
    { ...split("hello-00001"), percent: 1 },
  ]);
});

test("CV-9: an h2c revision is called on port 81", () => {
  const h2c = new Map([["", [target("hello-00001", { protocol: "h2c" })]]]);
  const { spec } = makeIngress(route, routingOf({ groups: h2c }));
  expect(spec.rules[0]?.http.paths[0]?.splits).toEqual([split("hello-00001", 81)]);
});

test("C-84: the route's own class wins over the configured one", () => {
  const own = routeOf("hello", [], { annotations: { "networking.knative.dev/ingress-class": "mine" } });
  expect(makeIngress(own, routingOf()).metadata.annotations).toMatchObject({
    "networking.knative.dev/ingress.class": "mine",
  });
});

describe("CV-28: httpOption", () => {
  test.each([
    { own: "Redirected", configured: "Enabled", want: "Redirected" },
    { own: "enabled", configured: "Redirected", want: "Enabled" },
    { own: undefined, configured: "Redirected", want: "Redirected" },
    { own: undefined, configured: undefined, want: undefined },
  ] as const)("annotation $own, configured $configured: $want", ({ own, configured, want }) => {
    const annotations = own === undefined ? {} : { "networking.knative.dev/httpOption": own };
    const network = { ...settings.network, httpOption: configured };
    expect(
      makeIngress(routeOf("hello", [], { annotations }), routingOf({}, { network })).spec.httpOption,
    ).toBe(want);
  });

  test("anything else is an error", () => {
    const odd = routeOf("hello", [], { annotations: { "networking.knative.dev/httpOption": "foo" } });
    expect(() => makeIngress(odd, routingOf())).toThrow("foo");
  });
});
