import { describe, expect, test } from "vitest";
import { World } from "./world.ts";

const NAME = "hello-00001";
const PREFIX = "autoscaling.knative.dev";
const QUEUED = "Unknown Queued";
const IDLE = "False NoTraffic";

/** Mode, and of the PodAutoscaler SKSReady, Active and Ready: a row of the table below K-68. */
function row(world: World): readonly string[] {
  return [world.mode(NAME), ...["SKSReady", "Active", "Ready"].map((type) => world.condition(NAME, type))];
}

describe("K-68: mode and conditions in each state of a revision", () => {
  test("just created, waiting for its pod, burst protection, idle, at zero, waking up", async () => {
    await using world = await World.start({ podStartMs: 3_000 });
    const revision = await world.addRevision(NAME);
    expect(row(world)).toEqual(["Proxy", "Unknown NotReady", QUEUED, expect.stringMatching(/^Unknown/)]);
    await world.idle(5);
    expect(row(world)).toEqual(["Proxy", "True", "True", "True"]);
    world.isActivatorAnswering = () => Promise.resolve(false);
    await world.idle(70);
    expect(world.replicas(NAME)).toBe(1);
    expect(row(world)).toEqual(["Proxy", "True", IDLE, IDLE]);
    world.isActivatorAnswering = () => Promise.resolve(true);
    await world.idle(5);
    expect(world.replicas(NAME)).toBe(0);
    expect(row(world)).toEqual(["Proxy", "Unknown NotReady", IDLE, IDLE]);
    world.report(revision, 1);
    await world.clock.settle();
    expect(row(world)).toEqual(["Proxy", "Unknown NotReady", QUEUED, expect.stringMatching(/^Unknown/)]);
  });

  test("steady and direct; below min-scale by the spare burst", async () => {
    await using world = await World.start();
    await world.addRevision(NAME, { annotations: { [`${PREFIX}/target-burst-capacity`]: "0" } });
    await world.idle(5);
    expect(row(world)).toEqual(["Serve", "True", "True", "True"]);
    await world.configure({ "min-scale": "9" });
    expect(row(world)).toEqual(["Serve", "True", QUEUED, QUEUED]);
  });

  test("given up activating", async () => {
    await using world = await World.start({ podStartMs: 10_000_000 });
    await world.addRevision(NAME, { annotations: { "serving.knative.dev/progress-deadline": "30s" } });
    await world.idle(63);
    expect(row(world)).toEqual(["Proxy", "Unknown NotReady", "False TimedOut", "False TimedOut"]);
  });

  test("a spec not yet observed", async () => {
    await using world = await World.start();
    const revision = await world.addRevision(NAME, { containerConcurrency: 10 });
    await world.load(revision, 20, 10);
    world.isServing = false;
    await world.load(revision, 100, 20);
    expect(row(world).slice(1)).toEqual(["Unknown NotReady", "True", "Unknown NotReady"]);
  });
});
