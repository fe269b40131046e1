import { type Ingress, objectKey } from "@rouse/shared";
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
