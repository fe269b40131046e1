import { describe, expect, test } from "vitest";
import { routeOf, settings } from "../../test/stored.ts";
import { parseDomains } from "../settings/domains.ts";
import type { Settings } from "../settings/settings.ts";
import { expandHost, HostError, hostOf, type Naming, routeVisibility } from "./hosts.ts";

const VISIBILITY = "networking.knative.dev/visibility";
const namingOf = (given: Partial<Settings> = {}, domainSuffix?: string): Naming => ({
  settings: { ...settings, ...given },
  clusterDomain: "cluster.local",
  domainSuffix,
});

describe("CV-18, C-73, C-74, C-75: domains", () => {
  const domains = parseDomains({
    "example.com": "",
    "example.org": "selector:\n  app: np\n",
    "svc.cluster.local": 'selector:\n  # hidden\n  app: "secret"\n',
    _example: "not read: [",
  });
  test.each([
    { labels: {}, want: "hello.default.example.com", visibility: "ExternalIP" },
    { labels: { app: "np" }, want: "hello.default.example.org", visibility: "ExternalIP" },
    { labels: { app: "np", x: "y" }, want: "hello.default.example.org", visibility: "ExternalIP" },
    { labels: { app: "secret" }, want: "hello.default.svc.cluster.local", visibility: "ClusterLocal" },
    {
      labels: { app: "np", [VISIBILITY]: "cluster-local" },
      want: "hello.default.svc.cluster.local",
      visibility: "ClusterLocal",
    },
    { labels: { [VISIBILITY]: "foo" }, want: "hello.default.example.com", visibility: "ExternalIP" },
  ] as const)("$labels: $want", ({ labels, want, visibility }) => {
    const route = routeOf("hello", [], { labels });
    const naming = namingOf({ domains });
    expect(routeVisibility(route, naming)).toBe(visibility);
    expect(hostOf(route, "", visibility, naming)).toBe(want);
  });

  test("of two catch-alls the smaller name wins; without any, routes are cluster-local or take the suffix", () => {
    const route = routeOf("hello", []);
    expect(
      hostOf(route, "", "ExternalIP", namingOf({ domains: parseDomains({ "b.com": "", "a.com": "" }) })),
    ).toBe("hello.default.a.com");
    expect(routeVisibility(route, namingOf({ domains: [] }))).toBe("ClusterLocal");
    expect(hostOf(route, "", "ExternalIP", namingOf({ domains: [] }, "localhost"))).toBe(
      "hello.default.localhost",
    );
  });
});

test("CV-19, C-76, C-77: hosts of a route and a tag, and a template with an annotation, never for local hosts", () => {
  const route = routeOf("hello", [], { annotations: { sub: "foo" } });
  expect(hostOf(route, "blue", "ExternalIP", namingOf())).toBe("blue-hello.default.example.com");
  expect(hostOf(route, "blue", "ClusterLocal", namingOf())).toBe("blue-hello.default.svc.cluster.local");
  const domainTemplate = '{{.Name}}-{{.Namespace}}.{{ index .Annotations "sub"}}.{{.Domain}}';
  const naming = namingOf({ network: { ...settings.network, domainTemplate } });
  expect(hostOf(route, "", "ExternalIP", naming)).toBe("hello-default.foo.example.com");
  expect(hostOf(route, "", "ClusterLocal", naming)).toBe("hello.default.svc.cluster.local");
});

test.each(["{{.Name}}", "{{.Name}}..{{.Domain}}", "{{.Name}}_x.{{.Domain}}"])(
  "C-76: the template %s gives no host name",
  (domainTemplate) => {
    const naming = namingOf({ network: { ...settings.network, domainTemplate } });
    expect(() => hostOf(routeOf("hello", []), "", "ExternalIP", naming)).toThrow(HostError);
  },
);

test.each([
  { host: "s.ns.svc.cluster.local", want: ["s.ns", "s.ns.svc", "s.ns.svc.cluster.local"] },
  { host: "s.1234.svc.cluster.local", want: ["s.1234.svc", "s.1234.svc.cluster.local"] },
  { host: "s.1-1.svc.cluster.local", want: ["s.1-1", "s.1-1.svc", "s.1-1.svc.cluster.local"] },
  {
    host: `s.${"n".repeat(64)}.svc.cluster.local`,
    want: [`s.${"n".repeat(64)}.svc`, `s.${"n".repeat(64)}.svc.cluster.local`],
  },
  { host: "foo.bar.example.com", want: ["foo.bar.example.com"] },
])("CV-21, C-88: $host", ({ host, want }) => {
  expect(expandHost(host, "cluster.local")).toEqual(want);
});
