import { ConfigMapKind, InProcessKubeClient, ObjectStore, SeededRandom, silentLogger } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { readMeshAccess } from "./mesh-access.ts";

async function accessOf(data: Record<string, string> | undefined) {
  const clock = new VirtualClock();
  const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) });
  const client = new InProcessKubeClient({ store, clock });
  const metadata = { namespace: "knative-serving", name: "config-network" };
  if (data !== undefined) {
    await client.create(ConfigMapKind, { apiVersion: "v1", kind: "ConfigMap", metadata, data });
  }
  return readMeshAccess(client, { namespace: "knative-serving", log: silentLogger });
}

test.each([
  { data: undefined, want: "none" },
  { data: {}, want: "none" },
  { data: { "mesh-compatibility-mode": "Enabled" }, want: "service" },
  { data: { "mesh-compatibility-mode": "disabled" }, want: "none" },
  { data: { "enable-mesh-pod-addressability": "true" }, want: "passthrough" },
  {
    data: { "mesh-compatibility-mode": "enabled", "enable-mesh-pod-addressability": "true" },
    want: "passthrough",
  },
])("A-7, A-8, A-61: $data leads to pods by $want", async ({ data, want }) => {
  expect(await accessOf(data)).toBe(want);
});

test("A-8: another mode is an error that says so", async () => {
  await expect(accessOf({ "mesh-compatibility-mode": "maybe" })).rejects.toThrow("mesh-compatibility-mode");
});
