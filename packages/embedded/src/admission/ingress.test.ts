import {
  type AnyObject,
  IngressKind,
  type IngressSplit,
  KubeError,
  ObjectStore,
  SeededRandom,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { ServingAdmission } from "./serving-admission.ts";

const split = (more: Partial<IngressSplit> = {}): object => ({
  serviceNamespace: "default",
  serviceName: "hello",
  servicePort: 80,
  ...more,
});

function ingress(spec: object): AnyObject {
  return {
    apiVersion: "networking.internal.knative.dev/v1alpha1",
    kind: "Ingress",
    metadata: { name: "hello", namespace: "default" },
    spec,
  };
}

const withSplits = (...splits: readonly object[]): AnyObject =>
  ingress({ rules: [{ hosts: ["a.com"], http: { paths: [{ splits }] } }] });

function setup(): ObjectStore {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  return new ObjectStore({ wall: () => clock.wall(), random, admission: new ServingAdmission() });
}

describe("C-102: a KIngress", () => {
  test("says whom its rules are for, and a lone split has all", () => {
    const { spec } = setup().create(IngressKind, withSplits(split()));
    expect(spec).toEqual({
      rules: [
        {
          hosts: ["a.com"],
          visibility: "ExternalIP",
          http: { paths: [{ splits: [{ ...split(), percent: 100 }] }] },
        },
      ],
    });
  });

  test("that says everything is stored as it is", () => {
    const object = ingress({
      httpOption: "Redirected",
      tls: [{ hosts: ["a.com"], secretName: "a", secretNamespace: "default" }],
      rules: [
        {
          hosts: ["a.com"],
          visibility: "ClusterLocal",
          http: {
            paths: [
              {
                path: "/x",
                rewriteHost: "b",
                headers: { tag: { exact: "x" } },
                splits: [split({ percent: 30, appendHeaders: { a: "b" } }), split({ percent: 70 })],
                appendHeaders: { c: "d" },
              },
            ],
          },
        },
      ],
    });
    expect(setup().create(IngressKind, object).spec).toEqual(object.spec);
  });

  const PATH = "spec.rules[0].http.paths[0]";
  test.each([
    { object: ingress({}), want: "missing field(s): spec.rules" },
    { object: ingress({ rules: [{ hosts: ["a"] }] }), want: "missing field(s): spec.rules[0].http" },
    { object: ingress({ rules: [{ http: {} }] }), want: "missing field(s): spec.rules[0].http.paths" },
    { object: withSplits(), want: `missing field(s): ${PATH}.splits` },
    { object: withSplits(split({ percent: 60 })), want: `must total to 100, but was 60: ${PATH}.splits` },
    { object: withSplits(split(), split()), want: `must total to 100, but was 0: ${PATH}.splits` },
    {
      object: withSplits(split({ percent: 101 }), split({ percent: -1 })),
      want: `expected 0 <= 101 <= 100: ${PATH}.splits[0].percent`,
    },
    {
      object: withSplits(split({ serviceName: "" })),
      want: `missing field(s): ${PATH}.splits[0].serviceName`,
    },
    {
      object: withSplits(split({ servicePort: 0 })),
      want: `missing field(s): ${PATH}.splits[0].servicePort`,
    },
    {
      object: withSplits(split({ serviceNamespace: "other" })),
      want: `must match ingress namespace: ${PATH}.splits[0].serviceNamespace`,
    },
    {
      object: ingress({ ...Object(withSplits(split()).spec), tls: [{ hosts: [] }] }),
      want: "missing field(s): spec.tls[0].secretName, spec.tls[0].secretNamespace",
    },
    {
      object: ingress({ ...Object(withSplits(split()).spec), httpOption: "Maybe" }),
      want: "invalid value: Maybe: spec.httpOption",
    },
    { object: ingress({ rules: "all" }), want: "spec.rules: Invalid value: expected a list" },
  ])("is refused: $want", ({ object, want }) => {
    try {
      setup().create(IngressKind, object);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      expect(error.message).toContain(want);
    }
  });
});
