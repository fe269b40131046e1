import {
  ACTIVATOR_SERVICE,
  EndpointsKind,
  InProcessKubeClient,
  ObjectStore,
  rouse,
  SeededRandom,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { createSystemObjects, publishActivator } from "./system-objects.ts";

const ref = { namespace: SYSTEM_NAMESPACE, name: ACTIVATOR_SERVICE };

async function publish(port: number, h2cPort: number) {
  const clock = new VirtualClock();
  const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) });
  const client = new InProcessKubeClient({ store, clock });
  await createSystemObjects(client);
  await publishActivator(client, { ip: "127.0.0.1", port: 1, h2cPort: 2, name: "activator" });
  await publishActivator(client, { ip: "127.251.0.1", port, h2cPort, name: "activator" });
  return client.get(EndpointsKind, ref);
}

test("K-31, K-36: the activator is listed by the ports of both protocols, the latest start alone", async () => {
  const { subsets, metadata } = await publish(8012, 8013);
  expect(subsets?.map(({ addresses, ports }) => [addresses?.map(({ ip }) => ip), ports])).toEqual([
    [
      ["127.251.0.1"],
      [
        { name: "http", port: 8012, protocol: "TCP" },
        { name: "http2", port: 8013, protocol: "TCP" },
      ],
    ],
  ]);
  expect(metadata.annotations?.[rouse.queuePort]).toBeUndefined();
});

test("K-36: where it has no address of its own, ports are told apart by their names", async () => {
  const { metadata } = await publish(40_001, 40_002);
  expect(metadata.annotations?.[rouse.queuePort]).toBe("per-pod");
});
