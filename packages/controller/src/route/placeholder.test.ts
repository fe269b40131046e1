import type { Ingress, LoadBalancer, Service } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { routeOf } from "../../test/stored.ts";
import { canBecome, makePlaceholder, placeholderEndpoints, placeholderShape } from "./placeholder.ts";

const placeholder = (labels: Record<string, string> = {}): Service =>
  makePlaceholder(routeOf("hello", [], { labels }), { name: "hello", externalName: "hello.example.com" });

const statusOf = (
  publicLoadBalancer: LoadBalancer,
  privateLoadBalancer?: LoadBalancer,
): Ingress["status"] => ({
  publicLoadBalancer,
  ...(privateLoadBalancer === undefined ? {} : { privateLoadBalancer }),
});
const at = (...ingress: NonNullable<LoadBalancer["ingress"]>): LoadBalancer => ({ ingress });

const h2c = { name: "http2", appProtocol: "kubernetes.io/h2c", protocol: "TCP", port: 80, targetPort: 80 };
const named = (externalName: string) => ({
  spec: { type: "ExternalName", externalName, sessionAffinity: "None", ports: [h2c] },
});
const headless = (endpointIp: string) => ({
  spec: { type: "ClusterIP", clusterIP: "None", ports: [h2c] },
  endpointIp,
});

describe("C-80, CV-27: the final shape of a placeholder", () => {
  test.each<{ why: string; status: Ingress["status"]; want: object | undefined }>([
    { why: "an address", status: statusOf(at({ ip: "1.2.3.4" })), want: headless("1.2.3.4") },
    {
      why: "an inner name goes before an outer one",
      status: statusOf(at({ domainInternal: "gw.sys.svc.cluster.local", domain: "x" })),
      want: named("gw.sys.svc.cluster.local"),
    },
    { why: "an outer name", status: statusOf(at({ domain: "x" })), want: named("x") },
    {
      why: "a mesh alone",
      status: statusOf(at({ meshOnly: true })),
      want: {
        spec: { type: "ClusterIP", ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 80 }] },
      },
    },
    {
      why: "an address goes before a name",
      status: statusOf(at({ ip: "1.2.3.4", domainInternal: "gw" })),
      want: headless("1.2.3.4"),
    },
    { why: "two entries: left", status: statusOf(at({ ip: "1.2.3.4" }, { ip: "1.2.3.5" })), want: undefined },
    { why: "none: left", status: statusOf(at()), want: undefined },
    { why: "an empty entry: left", status: statusOf(at({})), want: undefined },
    { why: "nothing said: left", status: undefined, want: undefined },
    {
      why: "the private one goes first",
      status: statusOf(at({ domain: "public" }), at({ domain: "private" })),
      want: named("private"),
    },
  ])("$why", ({ status, want }) => {
    expect(placeholderShape(status, placeholder())).toEqual(want);
  });

  test("one that is cluster-local never leads to the public side", () => {
    const { metadata } = placeholder();
    const local = {
      metadata: { ...metadata, labels: { "networking.knative.dev/visibility": "cluster-local" } },
    };
    expect(placeholderShape(statusOf(at({ domain: "public" })), local)).toBeUndefined();
    expect(placeholderShape(statusOf(at({ domain: "public" }), at({ domain: "in" })), local)).toEqual(
      named("in"),
    );
  });

  test("its Endpoints have its name, its labels and the one address", () => {
    const route = routeOf("hello", [], { labels: { team: "a" } });
    const service = makePlaceholder(route, { name: "blue-hello", externalName: "x" });
    expect(placeholderEndpoints(route, service, "1.2.3.4")).toMatchObject({
      metadata: { name: "blue-hello", namespace: "default", labels: { team: "a" } },
      subsets: [{ addresses: [{ ip: "1.2.3.4" }], ports: [{ name: "http2", port: 80 }] }],
    });
  });

  const name = { type: "ExternalName", externalName: "x" } as const;
  const none = { type: "ClusterIP", clusterIP: "None" } as const;
  const allocated = { type: "ClusterIP", clusterIP: "10.0.0.7" } as const;
  test.each([
    [name, none, true],
    [name, { type: "ClusterIP" } as const, true],
    [none, none, true],
    [allocated, { type: "ClusterIP" } as const, true],
    [none, name, false],
    [none, { type: "ClusterIP" } as const, false],
    [allocated, none, false],
    [allocated, name, false],
  ] as const)("%j becomes %j by an update: %s", (present, wanted, want) => {
    expect(canBecome(present, wanted)).toBe(want);
  });
});
