import { type IngressPath, type IngressRule, objectKey, SeededRandom } from "@rouse/shared";
import fc from "fast-check";
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
  createdAt: "2026-01-01T00:00:00Z",
});

/** The first is the oldest. */
function build(ingresses: readonly TableIngress[], entry: "public" | "private" = "private") {
  const table = new RoutingTable<string>({ entry, backend: ({ name }) => name });
  const aged = ingresses.map((each, day) => ({ ...each, createdAt: `2026-01-0${day + 1}T00:00:00Z` }));
  for (const each of aged.toReversed()) table.set(each);
  return table;
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
    const conflictOf = (name: string) => both.conflictOf(objectKey({ namespace: "default", name }));
    expect([conflictOf("first"), conflictOf("second")]).toEqual([undefined, "a"]);
  });

  test("a host goes to the next who wants it when its owner leaves or wants another", () => {
    const table = build([
      ingress("first", rule(["a"], [path("one")])),
      ingress("second", rule(["a"], [path("two")])),
      ingress("third", rule(["a"], [path("three")])),
    ]);
    expect([...table.set(ingress("first", rule(["b"], [path("one")])))].sort()).toEqual(["a", "b"]);
    expect([serviceOf(table, "a"), serviceOf(table, "b")]).toEqual(["two", "one"]);
    table.delete(objectKey({ namespace: "default", name: "second" }));
    expect(serviceOf(table, "a")).toBe("three");
    expect(table.conflictOf(objectKey({ namespace: "default", name: "third" }))).toBeUndefined();
    table.delete(objectKey({ namespace: "default", name: "third" }));
    expect([table.knows("a"), table.hostCount]).toEqual([false, 1]);
  });

  test("changed one by one, it is as if made at once", () => {
    const name = fc.constantFrom("p", "q", "r");
    const hosts = fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 3 });
    const change = fc.oneof(
      fc.record({ name }),
      fc.record({ name, hosts, day: fc.integer({ min: 1, max: 3 }) }),
    );
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const table = new RoutingTable<string>({ entry: "private", backend: (ref) => ref.name });
        const present = new Map<string, TableIngress>();
        for (const each of changes) {
          if (!("hosts" in each)) {
            present.delete(each.name);
            table.delete(objectKey({ namespace: "default", name: each.name }));
            continue;
          }
          const rules = each.hosts.map((host) => rule([host], [path(`${each.name}-${each.day}`)]));
          const made = { ...ingress(each.name, ...rules), createdAt: `2026-01-0${each.day}T00:00:00Z` };
          present.set(each.name, made);
          table.set(made);
        }
        const whole = new RoutingTable<string>({ entry: "private", backend: (ref) => ref.name });
        for (const each of present.values()) whole.set(each);
        for (const host of ["a", "b", "c"]) {
          expect(table.claimants(host)).toEqual(whole.claimants(host));
          expect(serviceOf(table, host)).toBe(serviceOf(whole, host));
        }
        expect(table.hostCount).toBe(whole.hostCount);
      }),
    );
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
