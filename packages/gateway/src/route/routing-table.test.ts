import { type IngressPath, type IngressRule, objectKey, SeededRandom } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { pickSplit } from "./pick-split.ts";
import { hostName, RoutingTable, type TableIngress } from "./routing-table.ts";

const split = (name: string, percent = 100) => ({
  serviceNamespace: "default",
  serviceName: name,
  servicePort: 80,
  percent,
});
const path = (name: string, more: Partial<IngressPath> = {}): IngressPath => ({
  splits: [split(name)],
  ...more,
});
const rule = (
  hosts: readonly string[],
  paths: readonly IngressPath[],
  more: Partial<IngressRule> = {},
): IngressRule => ({
  hosts,
  http: { paths },
  ...more,
});
const ingress = (name: string, ...rules: IngressRule[]): TableIngress => ({
  key: objectKey({ namespace: "default", name }),
  spec: { rules },
});

function build(ingresses: readonly TableIngress[], entry: "public" | "private" = "private") {
  return RoutingTable.build(ingresses, { entry, backend: ({ name }) => name });
}

function serviceOf(
  table: RoutingTable<string>,
  host: string,
  target = "/",
  headers: Record<string, string> = {},
) {
  const found = table.find({ host, target, get: (name) => headers[name] });
  return found === undefined ? 404 : found.splits[0]?.backend;
}

describe("C-106: hosts", () => {
  const table = build([ingress("a", rule(["Hello.example.com"], [path("hello")]))]);

  test.each([
    { host: "hello.example.com", want: "hello" },
    { host: "HELLO.Example.com:8080", want: "hello" },
    { host: "example.com", want: 404 },
    { host: "xhello.example.com", want: 404 },
    { host: "", want: 404 },
  ])("'$host' leads to $want", ({ host, want }) => {
    expect(serviceOf(table, host)).toBe(want);
  });

  test("a rule without hosts takes what nobody else has", () => {
    const withAny = build([ingress("any", rule([], [path("any")])), ingress("a", rule(["a"], [path("a")]))]);
    expect([serviceOf(withAny, "a"), serviceOf(withAny, "b")]).toEqual(["a", "any"]);
  });

  test("the paths of one host in several rules are one list", () => {
    const both = build([ingress("a", rule(["a"], [path("x", { path: "/x" })]), rule(["a"], [path("rest")]))]);
    expect([serviceOf(both, "a", "/x"), serviceOf(both, "a", "/y")]).toEqual(["x", "rest"]);
  });

  test("of two ingresses with one host the first keeps it", () => {
    const both = build([
      ingress("first", rule(["a"], [path("one")])),
      ingress("second", rule(["a", "b"], [path("two")])),
    ]);
    expect([serviceOf(both, "a"), serviceOf(both, "b")]).toEqual(["one", "two"]);
    expect([...both.conflicts]).toEqual([["default/second", "a"]]);
  });

  test.each([
    { authority: "A.b:80", want: "a.b" },
    { authority: "[::1]:8080", want: "[::1]" },
    { authority: "[::1]", want: "[::1]" },
    { authority: "a", want: "a" },
  ])("$authority is $want", ({ authority, want }) => {
    expect(hostName(authority)).toBe(want);
  });
});

describe("C-105: entry points", () => {
  const inside = ingress(
    "a",
    rule(["hello.default.svc"], [path("in")], { visibility: "ClusterLocal" }),
    rule(["hello.example.com"], [path("out")], { visibility: "ExternalIP" }),
  );

  test("from outside, a host of the inside is unknown", () => {
    const table = build([inside], "public");
    expect([serviceOf(table, "hello.default.svc"), serviceOf(table, "hello.example.com")]).toEqual([
      404,
      "out",
    ]);
  });

  test("from inside both are known", () => {
    const table = build([inside]);
    expect([serviceOf(table, "hello.default.svc"), serviceOf(table, "hello.example.com")]).toEqual([
      "in",
      "out",
    ]);
  });
});

describe("C-107, C-108: paths", () => {
  const table = build([
    ingress(
      "a",
      rule(
        ["a"],
        [
          path("all"),
          path("foo", { path: "/foo" }),
          path("foo-bar", { path: "/foo/bar" }),
          path("tagged", { headers: { "Knative-Serving-Tag": { exact: "blue" } } }),
        ],
      ),
    ),
  ]);

  test.each([
    { target: "/", want: "all" },
    { target: "/foo", want: "foo" },
    { target: "/foobar?x=/foo/bar", want: "foo" },
    { target: "/foo/bar/baz", want: "foo-bar" },
    { target: "/x/foo", want: "all" },
    { target: "*", want: "all" },
  ])("$target leads to $want", ({ target, want }) => {
    expect(serviceOf(table, "a", target)).toBe(want);
  });

  test.each([
    { tag: "blue", want: "tagged" },
    { tag: "Blue", want: "all" },
    { tag: "", want: "all" },
  ])("with the tag '$tag' to $want", ({ tag, want }) => {
    expect(serviceOf(table, "a", "/", { "Knative-Serving-Tag": tag })).toBe(want);
  });
});

describe("C-111: splits", () => {
  const counts = (...splits: ReturnType<typeof split>[]): Record<string, number> => {
    const table = build([ingress("a", rule(["a"], [{ splits }]))]);
    const found = table.find({ host: "a", target: "/", get: () => undefined });
    const random = new SeededRandom(11);
    const seen: Record<string, number> = {};
    for (let i = 0; i < 1_000 && found !== undefined; i++) {
      const name = pickSplit(found, random)?.backend ?? "none";
      seen[name] = (seen[name] ?? 0) + 1;
    }
    return seen;
  };

  test("follow their weights, and 0 % never gets anything", () => {
    const { one = 0, two = 0, three } = counts(split("one", 80), split("two", 20), split("three", 0));
    expect(Math.abs(one - 800)).toBeLessThan(50);
    expect(one + two).toBe(1_000);
    expect(three).toBeUndefined();
  });

  test("C-102: a lone one has all, whatever it says", () => {
    expect(counts(split("one", 0))).toEqual({ one: 1_000 });
  });
});
