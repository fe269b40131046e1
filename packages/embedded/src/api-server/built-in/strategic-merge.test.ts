import { describe, expect, test } from "vitest";
import { applyStrategicMerge } from "./strategic-merge.ts";

const pod = (containers: unknown) => ({ spec: { containers } });
const env = (...names: string[]) => names.map((name) => ({ name, value: "1" }));
const namesOf = (value: unknown): unknown =>
  Object(Object(Object(value).spec).containers)[0].env.map((each: { name: string }) => each.name);

describe("strategic merge patches (P-53)", () => {
  test.each([
    { why: "what both have keeps its place", stored: ["A", "B"], patch: ["B", "C"], result: ["A", "B", "C"] },
    { why: "what only the store has comes last", stored: ["A"], patch: ["B"], result: ["B", "A"] },
    {
      why: "the patch's own order holds, with the rest before what it stood before",
      stored: ["A", "B", "C"],
      patch: ["C", "A"],
      result: ["B", "C", "A"],
    },
  ])("$why", ({ stored, patch, result }) => {
    const document = pod([{ name: "c", env: env(...stored) }]);
    const merged = applyStrategicMerge("Pod", document, pod([{ name: "c", env: env(...patch) }]));
    expect(namesOf(merged)).toEqual(result);
  });

  test("directives delete, replace, order and retain", () => {
    const document = pod([{ name: "a" }, { name: "b" }]);
    expect(applyStrategicMerge("Pod", document, pod([{ name: "a", $patch: "delete" }]))).toEqual(
      pod([{ name: "b" }]),
    );
    expect(applyStrategicMerge("Pod", document, pod([{ $patch: "replace" }, { name: "c" }]))).toEqual(
      pod([{ name: "c" }]),
    );
    const ordered = { spec: { "$setElementOrder/containers": [{ name: "b" }, { name: "a" }] } };
    expect(applyStrategicMerge("Pod", document, ordered)).toEqual(pod([{ name: "b" }, { name: "a" }]));
    const strategy = { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } };
    const retain = { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } };
    expect(applyStrategicMerge("Deployment", strategy, retain)).toEqual({
      spec: { strategy: { type: "Recreate" } },
    });
    const finalizers = { metadata: { finalizers: ["a/1", "b/1"] } };
    const drop = { metadata: { "$deleteFromPrimitiveList/finalizers": ["a/1"] } };
    expect(applyStrategicMerge("ConfigMap", finalizers, drop)).toEqual({ metadata: { finalizers: ["b/1"] } });
  });

  test("an element without its key is refused, and lists without one are replaced whole", () => {
    expect(() => applyStrategicMerge("Pod", pod([{ name: "a" }]), pod([{ image: "x" }]))).toThrow(
      /merge key: name/,
    );
    const tolerations = (key: string) => ({ spec: { tolerations: [{ key }] } });
    expect(applyStrategicMerge("Pod", tolerations("a"), tolerations("b"))).toEqual(tolerations("b"));
  });
});
