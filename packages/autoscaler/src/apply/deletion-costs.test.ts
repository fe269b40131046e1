import {
  InProcessKubeClient,
  ObjectStore,
  PodKind,
  revisionKey,
  SeededRandom,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { DELETION_COST } from "../pods/pod-ledger.ts";
import { DeletionCosts } from "./deletion-costs.ts";

const revision = revisionKey({ namespace: "default", name: "hello-00001" });

async function cluster(loads: Readonly<Record<string, number | undefined>>) {
  const clock = new VirtualClock();
  const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) });
  const client = new InProcessKubeClient({ store, clock });
  for (const name of Object.keys(loads)) {
    await client.create(PodKind, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace: "default", name },
      spec: { containers: [{ name: "user" }] },
    });
  }
  const costOf = async (name: string) =>
    (await client.get(PodKind, { namespace: "default", name })).metadata.annotations?.[DELETION_COST];
  const ready = (costs: Readonly<Record<string, string>> = {}) =>
    Object.keys(loads).map((name) => ({
      namespace: "default",
      name,
      ip: "127.0.0.1",
      startedAt: 0,
      deletionCost: costs[name],
    }));
  const costs = (pods: ReturnType<typeof ready>) =>
    new DeletionCosts({
      client,
      log: silentLogger,
      pods: { readyPods: () => pods },
      collector: { inFlight: (_, pod) => loads[pod] },
    });
  return { store, costOf, ready, costs };
}

test("busy pods are dear, idle ones cost nothing, unknown ones keep what they have", async () => {
  const { costOf, ready, costs } = await cluster({ busy: 3.5, idle: 0, unknown: undefined });
  await costs(ready()).write(revision);
  expect(await costOf("busy")).toBe("350");
  expect(await costOf("idle")).toBeUndefined();
  expect(await costOf("unknown")).toBeUndefined();
});

test("what is right already is not written again, and a pod that is gone is no matter", async () => {
  const { store, ready, costs } = await cluster({ busy: 3.5 });
  const before = store.resourceVersion;
  await costs(ready({ busy: "350" })).write(revision);
  expect(store.resourceVersion).toBe(before);
  await costs([
    { ...ready()[0], namespace: "default", name: "gone", ip: "", startedAt: 0, deletionCost: undefined },
  ]).write(revision);
});
