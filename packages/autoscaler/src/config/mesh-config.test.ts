import {
  ConfigMapKind,
  InProcessKubeClient,
  ObjectStore,
  SeededRandom,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { readMeshConfig } from "./mesh-config.ts";

test.each([
  { data: undefined, want: { mode: "auto", isPassthrough: false } },
  { data: {}, want: { mode: "auto", isPassthrough: false } },
  { data: { "mesh-compatibility-mode": "enabled" }, want: { mode: "enabled", isPassthrough: false } },
  { data: { "mesh-compatibility-mode": "disabled" }, want: { mode: "disabled", isPassthrough: false } },
  { data: { "mesh-compatibility-mode": "perhaps" }, want: { mode: "auto", isPassthrough: false } },
  { data: { "enable-mesh-pod-addressability": "true" }, want: { mode: "auto", isPassthrough: true } },
])("S-51, S-52, S-54: config-network $data", async ({ data, want }) => {
  const clock = new VirtualClock();
  const client = new InProcessKubeClient({
    clock,
    store: new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) }),
  });
  if (data !== undefined) {
    await client.create(ConfigMapKind, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: SYSTEM_NAMESPACE, name: "config-network" },
      data,
    });
  }
  expect(await readMeshConfig(client)).toEqual(want);
});
