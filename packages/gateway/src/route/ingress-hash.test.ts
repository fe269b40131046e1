import { type Ingress, objectKey } from "@rouse/shared";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ingressHash } from "./ingress-hash.ts";

const spec = (appendHeaders?: Record<string, string>): Ingress["spec"] => ({
  rules: [
    {
      hosts: ["example.com"],
      http: {
        paths: [
          {
            splits: [
              {
                serviceNamespace: "",
                serviceName: "blah",
                servicePort: 0,
                percent: 0,
                ...(appendHeaders === undefined ? {} : { appendHeaders }),
              },
            ],
          },
        ],
      },
    },
  ],
});

test.each([
  { spec: spec(), want: "a25000a350642c8abef53078b329bd043e18758f6063c1172d53b04e14fcf5c1" },
  { spec: spec({ Foo: "bar" }), want: "6b652c7abed871354affd4a9cb699d33816f24541fac942149b91ad872fe63ca" },
])("CV-22, C-120: $want", ({ spec: of, want }) => {
  expect(ingressHash(of, objectKey({ namespace: "", name: "" }))).toBe(want);
});

test("header names that are numbers keep the order of their bytes", () => {
  const key = objectKey({ namespace: "", name: "" });
  expect(ingressHash(spec({ "9": "a", "10": "b" }), key)).toBe(
    ingressHash(spec({ "10": "b", "9": "a" }), key),
  );
  // {"10":…,"9":…}, as a map is written by every encoder that sorts by bytes.
  expect(ingressHash(spec({ "9": "a", "10": "b" }), key)).toBe(
    "a2d06e43b4a8e624d22b90cde7ad1191ec510ad2a7a5eb3d0e8db14b83780512",
  );
});

const name = fc.stringMatching(/^[a-z]([-a-z0-9]{0,6}[a-z0-9])?$/);
const headers = fc.dictionary(fc.stringMatching(/^[A-Za-z0-9-]{1,5}$/), fc.string({ maxLength: 4 }), {
  maxKeys: 3,
});
const paths = fc.array(
  fc.record({
    path: fc.constantFrom("", "/a", "/<b>&"),
    rewriteHost: fc.constantFrom("", "x.com"),
    splits: fc.array(
      fc.record({
        serviceNamespace: name,
        serviceName: name,
        servicePort: fc.constantFrom(80, "http"),
        percent: fc.integer({ min: 0, max: 100 }),
        appendHeaders: headers,
      }),
      { minLength: 1, maxLength: 2 },
    ),
    appendHeaders: headers,
  }),
  { minLength: 1, maxLength: 2 },
);
const configurations = fc.record({
  key: fc.record({ namespace: name, name }).map(objectKey),
  spec: fc.record({
    rules: fc.array(
      fc.record({
        hosts: fc.array(name, { maxLength: 2 }),
        visibility: fc.constantFrom("ExternalIP", "ClusterLocal"),
        http: fc.record({ paths }),
      }),
      { maxLength: 2 },
    ),
  }) as fc.Arbitrary<Ingress["spec"]>,
});

const MAY_BE_ABSENT: ReadonlySet<string> = new Set(["hosts", "path", "rewriteHost", "appendHeaders"]);

/** The same value with every object's keys the other way round, and without what is empty and may be absent. */
function rewritten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewritten);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => !(MAY_BE_ABSENT.has(key) && Object.keys(Object(member)).length === 0))
      .map(([key, member]) => [key, rewritten(member)])
      .reverse(),
  );
}

test("CI-13: the hash is of the configuration, not of how it is written, and of all of it", () => {
  fc.assert(
    fc.property(configurations, configurations, (one, other) => {
      const hash = ingressHash(one.spec, one.key);
      const again = structuredClone(one.spec);
      expect(ingressHash(again, one.key)).toBe(hash);
      const isSame = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
      expect(ingressHash(other.spec, other.key) === hash).toBe(isSame);
      expect(ingressHash(one.spec, other.key) === hash).toBe(one.key === other.key);
    }),
  );
});

test("CI-13: keys in another order, and members that say nothing, change nothing", () => {
  fc.assert(
    fc.property(configurations, ({ spec: of, key }) => {
      const other = rewritten(of) as Ingress["spec"]; // of the same shape, but for what may be absent
      expect(ingressHash(other, key)).toBe(ingressHash(of, key));
    }),
  );
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .map(([key, member]) => [key, sorted(member)])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}
