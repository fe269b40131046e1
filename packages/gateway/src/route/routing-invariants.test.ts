import { type IngressRule, objectKey } from "@rouse/shared";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RoutingTable, type TableIngress } from "./routing-table.ts";

const HOSTS = ["a.com", "b.com", "c.default", "d.default"];
const PATHS = ["", "/x", "/x/y"];

const rule: fc.Arbitrary<IngressRule> = fc
  .record({
    hosts: fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 3 }),
    visibility: fc.constantFrom<"ExternalIP" | "ClusterLocal">("ExternalIP", "ClusterLocal"),
    path: fc.constantFrom(...PATHS),
  })
  .map(({ hosts, visibility, path }) => ({
    hosts,
    visibility,
    http: { paths: [{ path, splits: [] }] },
  }));

/** An ingress that comes, changes or, without rules, goes. */
const change = fc.record({
  name: fc.constantFrom("one", "two", "three"),
  rules: fc.option(fc.array(rule, { minLength: 1, maxLength: 3 }), { nil: undefined }),
});

/** Each ingress leads to a Service of its own name, so that an answer says whose it is. */
function ingressOf(name: string, rules: readonly IngressRule[]): TableIngress {
  const split = { serviceNamespace: "default", serviceName: name, servicePort: 80, percent: 100 };
  const own = rules.map((each) => ({
    ...each,
    http: { paths: each.http.paths.map((path) => ({ ...path, splits: [split] })) },
  }));
  const createdAt = `2026-01-0${["one", "two", "three"].indexOf(name) + 1}T00:00:00Z`;
  return { key: objectKey({ namespace: "default", name }), spec: { rules: own }, createdAt };
}

test("CI-11, CI-12: of every host one ingress is served, and the inside is unknown outside", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const tables = (["public", "private"] as const).map((entry) => ({
        entry,
        table: new RoutingTable<string>({ entry, backend: ({ name }) => name }),
      }));
      const there = new Map<string, readonly IngressRule[]>();
      for (const { name, rules } of changes) {
        if (rules === undefined) there.delete(name);
        else there.set(name, rules);
        for (const { table } of tables) {
          if (rules === undefined) table.delete(objectKey({ namespace: "default", name }));
          else table.set(ingressOf(name, rules));
        }
        for (const { entry, table } of tables) {
          for (const host of HOSTS) {
            const answers = ["/", "/x", "/x/y", "/z"].map((target) => {
              const found = table.find({ host, target, get: () => undefined });
              return found?.splits[0]?.backend;
            });
            const served = new Set(answers.filter((answer) => answer !== undefined));
            expect(served.size).toBeLessThanOrEqual(1); // CI-11
            const wanting = [...there].filter(([, own]) =>
              own.some(
                (each) =>
                  each.hosts.includes(host) && (entry === "private" || each.visibility !== "ClusterLocal"),
              ),
            );
            if (wanting.length === 0) expect([entry, host, [...served]]).toEqual([entry, host, []]); // CI-12
            expect(table.knows(host)).toBe(wanting.length > 0);
          }
        }
      }
    }),
  );
});
