import { expect, test } from "vitest";
import { VirtualClock } from "../clock/virtual-clock.ts";
import { SeededRandom } from "../random.ts";
import { followEndpoints, parseEndpointsSource } from "./follow-endpoints.ts";
import { type EndpointSlice, EndpointSliceKind } from "./kinds/discovery.ts";
import { objectKey } from "./object.ts";
import { InProcessKubeClient } from "./store/in-process-client.ts";
import { ObjectStore } from "./store/object-store.ts";

const HELLO = { namespace: "default", name: "hello-private" };
const slice = (name: string, ip: string, labels: Record<string, string> = {}): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: {
    namespace: "default",
    name,
    labels: { "kubernetes.io/service-name": HELLO.name, type: "Private", revision: "hello", ...labels },
  },
  addressType: "IPv4",
  endpoints: [{ addresses: [ip] }],
  ports: [{ name: "http", port: 8012 }],
});

test("K-97: slices that come, change and go are one Endpoints object that does", async () => {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const client = new InProcessKubeClient({
    store: new ObjectStore({ wall: () => clock.wall(), random }),
    clock,
  });
  const heard: string[] = [];
  using follower = followEndpoints(
    { client, clock, random },
    { kind: "slices", preferred: "IPv4" },
    { labelSelector: "type=Private", indexed: "revision" },
  ).handle({
    changed: ({ metadata, subsets = [] }, before) =>
      heard.push(
        `${metadata.name} ${subsets.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip)).join()} ${before === undefined ? "new" : ""}`.trim(),
      ),
    removed: ({ metadata }) => heard.push(`${metadata.name} gone`),
  });
  await client.create(EndpointSliceKind, slice("hello-private-1", "10.0.0.1"));
  await follower.start();
  await client.create(EndpointSliceKind, slice("hello-private-2", "10.0.0.2"));
  await client.create(EndpointSliceKind, slice("other", "10.0.0.9", { type: "Public" }));
  await clock.settle();
  expect(follower.get(objectKey(HELLO))?.metadata).toMatchObject({ ...HELLO, labels: { revision: "hello" } });
  expect(follower.byLabel("revision", "hello").map(({ metadata }) => metadata.name)).toEqual([HELLO.name]);
  expect([...follower.list()]).toHaveLength(1);
  for (const name of ["hello-private-1", "hello-private-2"]) {
    await client.delete(EndpointSliceKind, { namespace: "default", name });
  }
  await clock.settle();
  expect(heard).toEqual([
    "hello-private 10.0.0.1 new",
    "hello-private 10.0.0.1,10.0.0.2",
    "hello-private 10.0.0.2",
    "hello-private gone",
  ]);
  expect(follower.get(objectKey(HELLO))).toBeUndefined();
});

test.each([
  { text: "", ip: "10.0.0.1", want: { kind: "endpoints" } },
  { text: "slices", ip: "10.0.0.1", want: { kind: "slices", preferred: "IPv4" } },
  { text: "slices", ip: "fd00::1", want: { kind: "slices", preferred: "IPv6" } },
  { text: "both", ip: "10.0.0.1", want: undefined },
])("ROUSE_ENDPOINTS='$text' at $ip: $want", ({ text, ip, want }) => {
  expect(parseEndpointsSource(text, ip)).toEqual(want);
});
