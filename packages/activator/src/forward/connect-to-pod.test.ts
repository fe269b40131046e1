import { endpoint } from "@rouse/shared";
import { expect, test } from "vitest";
import { connectionTo } from "./connect-to-pod.ts";

const security = { toPodsOf: (namespace: string) => ({ requiredName: namespace }) };

test.each([
  { ip: "10.0.0.1", port: 8_012, kind: "pod", want: { ip: "10.0.0.1", port: 8_112 } },
  { ip: "2001:db8::1", port: 8_013, kind: "pod", want: { ip: "2001:db8::1", port: 8_112 } },
  { ip: "10.96.0.7", port: 80, kind: "service", want: { ip: "10.96.0.7", port: 443 } },
] as const)("A-121: by TLS $ip:$port, a $kind, is $want", ({ ip, port, kind, want }) => {
  const to = { namespace: "default", kind };
  const found = connectionTo(endpoint({ ip, port }), to, security);
  expect(found).toMatchObject(want);
  expect(found.tls?.()).toEqual({ requiredName: "default" });
  expect(connectionTo(endpoint({ ip, port }), to, undefined)).toEqual({ ip, port });
});
