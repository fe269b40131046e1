import { expect, test } from "vitest";
import { identify } from "./identify.ts";

test.each([
  { revision: "r", namespace: "n", host: "x.y.svc.cluster.local", want: "n/r" },
  { revision: "", namespace: "", host: "x.y.svc.cluster.local", want: "y/x" },
  { revision: "", namespace: "", host: "x.y.svc.cluster.local:8012", want: "y/x" },
  { revision: "r", namespace: "", host: "x.y.svc.cluster.local", want: "y/x" },
  { revision: "", namespace: "n", host: "x.y.svc.cluster.local", want: "y/x" },
  { revision: "", namespace: "", host: "x.y.svc.cluster.local.", want: "/" },
  { revision: "", namespace: "", host: "x.y.svc.Cluster.local", want: "/" },
  { revision: "", namespace: "", host: "x.y.svc", want: "/" },
  { revision: "", namespace: "", host: "x.y", want: "/" },
  { revision: "r", namespace: "", host: "hello.example.com", want: "/r" },
])("A-14, A-15: '$revision', '$namespace', $host names $want", ({ want, ...hints }) => {
  const { namespace, name } = identify(hints, "cluster.local");
  expect(`${namespace}/${name}`).toBe(want);
});
