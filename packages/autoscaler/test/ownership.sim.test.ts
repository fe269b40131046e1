import { PodKind } from "@rouse/shared";
import { expect, test } from "vitest";
import { World } from "./world.ts";

const NAME = "hello-00001";

test("S-132, S-142: losing a bucket stops its deciders, winning it starts them anew", async () => {
  let isOurs = true;
  await using world = await World.start({ ownership: { owns: () => isOurs } });
  const revision = await world.addRevision(NAME);
  await world.load(revision, 200, 20);
  expect(world.replicas(NAME)).toBe(3);
  isOurs = false;
  world.autoscaler.lookAgain();
  await world.clock.settle();
  expect(world.autoscaler.explain(revision)).toBeUndefined();
  const { writes } = world;
  await world.load(revision, 900, 20);
  expect(world.replicas(NAME)).toBe(3);
  expect(world.writes).toBe(writes);
  isOurs = true;
  world.autoscaler.lookAgain();
  await world.load(revision, 900, 20);
  expect(world.replicas(NAME)).toBe(13);
});

test("S-141: a new owner starts with empty windows, and S-76 keeps it from shrinking anything", async () => {
  let isOurs = false;
  await using world = await World.start({ ownership: { owns: () => isOurs } });
  const revision = await world.addRevision(NAME, { replicas: 4 });
  await world.idle(5);
  expect(world.writes).toBe(0);
  isOurs = true;
  world.autoscaler.lookAgain();
  await world.load(revision, 10, 30);
  expect(world.autoscaler.explain(revision)?.decider.mode.kind).toBe("panicking");
  expect(world.replicas(NAME)).toBe(4);
});

test("S-120: everything is looked at once in ten hours", async () => {
  let asked = 0;
  await using world = await World.start({
    ownership: {
      owns: () => {
        asked++;
        return false;
      },
    },
  });
  await world.addRevision(NAME);
  await world.idle(2);
  const before = asked;
  await world.clock.advanceAsync(36_000_000);
  expect(asked).toBeGreaterThan(before);
});

test("before fewer pods are asked for, each is told what removing it costs", async () => {
  await using world = await World.start({ writesDeletionCosts: true });
  const revision = await world.addRevision(NAME, { containerConcurrency: 10 });
  await world.load(revision, 70, 90);
  expect(world.replicas(NAME)).toBe(10);
  world.directLoad = 20;
  await world.load(revision, 0, 40);
  expect(world.replicas(NAME)).toBeLessThan(10);
  const pods = await world.client.list(PodKind, {});
  expect(
    pods.items.some(
      ({ metadata }) => Number(metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"]) > 0,
    ),
  ).toBe(true);
});
