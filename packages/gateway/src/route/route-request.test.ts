import { objectKey, SeededRandom } from "@rouse/shared";
import { RecordingExchange } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { GatewayContext } from "../accept/context.ts";
import { Backend } from "../balance/backend.ts";
import { EndpointPools } from "../balance/endpoint-pools.ts";
import { RouteRequest } from "./route-request.ts";
import { type BackendRef, RoutingTable, type TableIngress } from "./routing-table.ts";

const pools = new EndpointPools(() => ({ ip: "10.0.0.1", port: 80, close: () => {} }));

function answerTo(spec: Partial<TableIngress["spec"]>, isTls: boolean) {
  const ingress: TableIngress = {
    key: objectKey({ namespace: "default", name: "hello" }),
    createdAt: "2026-01-01T00:00:00Z",
    spec: {
      rules: ["ExternalIP", "ClusterLocal"].map((visibility) => ({
        hosts: [visibility === "ExternalIP" ? "hello.example.org" : "hello.default"],
        visibility: visibility === "ExternalIP" ? "ExternalIP" : "ClusterLocal",
        http: {
          paths: [
            {
              splits: [{ serviceNamespace: "default", serviceName: "hello", servicePort: 80, percent: 100 }],
            },
          ],
        },
      })),
      ...spec,
    },
  };
  const backend = (ref: BackendRef) => new Backend(ref, pools);
  const table = new RoutingTable({ entry: "private", backend });
  table.set(ingress);
  const layer = new RouteRequest({ table, inner: table }, new SeededRandom(1));
  return (host: string) => {
    const exchange = new RecordingExchange(new GatewayContext(), {
      host,
      target: "/a?b=c",
      client: { isTls },
    });
    let isRouted = false;
    layer.handle(exchange, () => {
      isRouted = true;
    });
    return isRouted ? "routed" : exchange.answer;
  };
}

const tls = [{ hosts: ["hello.example.org"], secretName: "s", secretNamespace: "default" }];
const moved = { status: 301, headers: { Location: "https://hello.example.org/a?b=c" } };

test.each([
  { spec: { httpOption: "Redirected", tls }, isTls: false, want: moved },
  { spec: { httpOption: "Redirected", tls }, isTls: true, want: "routed" },
  { spec: { httpOption: "Redirected" }, isTls: false, want: "routed" },
  { spec: { httpOption: "Enabled", tls }, isTls: false, want: "routed" },
  { spec: {}, isTls: false, want: "routed" },
] as const)("C-116: $spec.httpOption, by TLS $isTls: $want", ({ spec, isTls, want }) => {
  const answer = answerTo(spec, isTls);
  expect(answer("hello.example.org:8080")).toEqual(want);
  expect(answer("hello.default")).toBe("routed"); // known within the cluster alone
});
