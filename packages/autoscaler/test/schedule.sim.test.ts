import { EventKind } from "@rouse/shared";
import { expect, test } from "vitest";
import { World } from "./world.ts";

const NAME = "hello-00001";

/** The hour at which the world begins is a whole one. */
test("a floor wakes a sleeping revision on time, and lets it sleep again when the window closes", async () => {
  await using world = await World.start();
  const annotations = { "rouse.dev/schedule": "10 * * * * for 20m min=2" };
  await world.addRevision(NAME, { annotations });
  await world.idle(9 * 60 + 50);
  expect(world.replicas(NAME)).toBe(0);
  await world.idle(11);
  expect(world.replicas(NAME)).toBe(2);
  await world.idle(19 * 60 + 50);
  expect(world.replicas(NAME)).toBe(2);
  await world.idle(120);
  expect(world.replicas(NAME)).toBe(0);
});

test("load is never cut, neither by a ceiling nor by a floor below it", async () => {
  await using world = await World.start();
  const annotations = {
    "rouse.dev/schedule": "* * * * * for 1h min=1 max=2",
    "autoscaling.knative.dev/min-scale": "4",
  };
  const revision = await world.addRevision(NAME, { annotations, containerConcurrency: 10 });
  await world.idle(90);
  expect(world.replicas(NAME)).toBe(2); // of the four that would stand without load
  await world.load(revision, 70, 80);
  expect(world.replicas(NAME)).toBe(10);
});

test("a schedule that cannot be read is as none, and an Event says so once", async () => {
  await using world = await World.start();
  await world.addRevision(NAME, { annotations: { "rouse.dev/schedule": "whenever min=5" } });
  await world.idle(120);
  expect(world.replicas(NAME)).toBe(0);
  const { items } = await world.client.list(EventKind);
  const told = items.filter(({ reason }) => reason === "ScheduleIgnored");
  expect(told.map(({ message, count }) => ({ message, count }))).toEqual([
    {
      message:
        "rouse.dev/schedule: whenever min=5: expected <cron> for <duration> [min=<n>] [max=<n>] [tz=<zone>]",
      count: 1,
    },
  ]);
});
