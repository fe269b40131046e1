import { EventKind } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { World } from "./world.ts";

const NAME = "hello-00001";
const TBC = "autoscaling.knative.dev/target-burst-capacity";
const PREFIX = "autoscaling.knative.dev";

/** A revision that has been scaled to zero after it was ready once. */
async function asleep(world: World, options: Parameters<World["addRevision"]>[1] = {}) {
  const revision = await world.addRevision(NAME, options);
  await world.idle(130);
  expect(world.replicas(NAME)).toBe(0);
  return revision;
}

describe("the life of one revision (K-60..K-63)", () => {
  test("starts with its initial scale, is idle for a window, and ends at zero (S-114)", async () => {
    await using world = await World.start();
    await world.addRevision(NAME);
    expect(world.mode(NAME)).toBe("Proxy");
    expect(world.condition(NAME, "Active")).toBe("Unknown Queued");
    await world.clock.advanceAsync(200);
    expect(world.readyPods(NAME)).toBe(1);
    expect(world.condition(NAME, "Active")).toBe("True");
    expect(world.condition(NAME, "ScaleTargetInitialized")).toBe("True");
    expect(world.condition(NAME, "Ready")).toBe("True");

    await world.idle(58);
    expect(world.replicas(NAME)).toBe(1);
    await world.idle(6);
    expect(world.condition(NAME, "Active")).toBe("False NoTraffic");
    expect(world.replicas(NAME)).toBe(0);
    expect(world.probes[0]).toEqual({ namespace: "default", serviceName: NAME, port: 80 });
    expect(world.autoscalerOf(NAME).status).toMatchObject({ desiredScale: 0, actualScale: 0 });
  });

  test("a report for a sleeping revision leads to the scale before any timer (S-40)", async () => {
    await using world = await World.start();
    const revision = await asleep(world);
    const before = world.clock.now();
    world.report(revision, 1);
    await world.clock.settle();
    expect(world.replicas(NAME)).toBe(1);
    expect(world.clock.now()).toBe(before);
    expect(world.condition(NAME, "Active")).toBe("Unknown Queued");
    expect(world.autoscalerOf(NAME).status?.desiredScale).toBe(1);
  });

  test("0 to 1 by poke, to many under load, and back to 0 after window and confirmation (S-97)", async () => {
    await using world = await World.start();
    const revision = await asleep(world, { containerConcurrency: 10 });
    await world.load(revision, 1, 5);
    expect(world.replicas(NAME)).toBe(1);
    expect(world.condition(NAME, "Active")).toBe("True");
    await world.load(revision, 70, 70);
    expect(world.replicas(NAME)).toBe(10); // 70 / (10 * 0.7)
    expect(world.readyPods(NAME)).toBe(10);
    await world.idle(58);
    expect(world.replicas(NAME)).toBeGreaterThan(0);
    await world.idle(65);
    expect(world.replicas(NAME)).toBe(0);
    expect(world.autoscaler.awakeRevisions).toBeLessThanOrEqual(1);
    await world.idle(120);
    expect(world.autoscaler.awakeRevisions).toBe(0);
    expect(world.clock.pendingTimers).toBe(1); // the resync, once in ten hours
  });

  test("a burst is followed by panic within two ticks (S-83)", async () => {
    await using world = await World.start({ podStartMs: 10 });
    const revision = await asleep(world, { containerConcurrency: 1 });
    await world.load(revision, 1, 2);
    await world.load(revision, 100, 4);
    expect(world.replicas(NAME)).toBeGreaterThan(50);
    expect(world.autoscaler.explain(revision)?.decider.mode.kind).toBe("panicking");
  });

  test("load that grows while the first pod starts does not wait for a tick", async () => {
    await using world = await World.start({ podStartMs: 60_000 });
    const revision = await asleep(world, { containerConcurrency: 10 });
    world.report(revision, 1);
    await world.clock.settle();
    expect(world.replicas(NAME)).toBe(1);
    world.report(revision, 39);
    await world.clock.settle();
    expect(world.replicas(NAME)).toBe(6); // (1 + 39) / (10 * 0.7)
  });

  test("a revision that never becomes ready is given up, and tried again with new traffic (K-66, S-119, W-18)", async () => {
    await using world = await World.start({ podStartMs: 10_000_000 });
    const annotations = { "serving.knative.dev/progress-deadline": "30s" };
    const revision = await world.addRevision(NAME, { annotations });
    await world.idle(59);
    expect(world.replicas(NAME)).toBe(1);
    await world.idle(4);
    expect(world.replicas(NAME)).toBe(0);
    expect(world.condition(NAME, "Active")).toBe("False TimedOut");
    await world.idle(100);
    expect(world.condition(NAME, "Active")).toBe("False TimedOut");
    world.report(revision, 1);
    await world.clock.settle();
    expect(world.replicas(NAME)).toBe(1);
    expect(world.condition(NAME, "Active")).toBe("Unknown Queued");
  });

  test("initial scale 0 is initialised without a pod, and its first request wakes it (W-21)", async () => {
    await using world = await World.start({ config: { "allow-zero-initial-scale": "true" } });
    const annotations = { [`${PREFIX}/initial-scale`]: "0" };
    const revision = await world.addRevision(NAME, { annotations, replicas: 0 });
    expect(world.condition(NAME, "ScaleTargetInitialized")).toBe("True");
    expect(world.condition(NAME, "Active")).toBe("False NoTraffic");
    world.report(revision, 1);
    await world.clock.settle();
    expect(world.replicas(NAME)).toBe(1);
  });
});

describe("confirmation before the last pod goes (K-62)", () => {
  test("a revision served directly goes inactive first and leaves after the grace period (W-17)", async () => {
    await using world = await World.start();
    await world.addRevision(NAME, { annotations: { [TBC]: "0" } });
    await world.idle(5);
    expect(world.mode(NAME)).toBe("Serve");
    await world.idle(57);
    expect(world.condition(NAME, "Active")).toBe("False NoTraffic");
    expect(world.mode(NAME)).toBe("Proxy");
    expect(world.replicas(NAME)).toBe(1);
    await world.idle(27);
    expect(world.replicas(NAME)).toBe(1);
    await world.idle(5);
    expect(world.replicas(NAME)).toBe(0);
  });

  test.each([0, 1])(
    "load that comes past the activator while the grace period runs keeps the pod, without a tick: %i s (K-5, S-40)",
    async (offset) => {
      await using world = await World.start();
      await world.addRevision(NAME, { annotations: { [TBC]: "0" } });
      await world.idle(62 + offset);
      expect(world.condition(NAME, "Active")).toBe("False NoTraffic");
      world.directLoad = 1;
      await world.idle(1);
      expect(world.condition(NAME, "Active")).toBe("True");
      expect(world.scalePatches).toEqual([]);
    },
  );

  test("the retention period keeps the last pod (S-106)", async () => {
    await using world = await World.start();
    await world.addRevision(NAME, {
      annotations: { [`${PREFIX}/scale-to-zero-pod-retention-period`]: "2m" },
    });
    await world.idle(175);
    expect(world.condition(NAME, "Active")).toBe("False NoTraffic");
    expect(world.replicas(NAME)).toBe(1);
    await world.idle(15);
    expect(world.replicas(NAME)).toBe(0);
  });

  test("while nobody confirms, it is asked each second and the pod stays (K-75, K-90)", async () => {
    await using world = await World.start();
    world.isActivatorAnswering = () => Promise.resolve(false);
    await world.addRevision(NAME);
    await world.idle(70);
    expect(world.condition(NAME, "Active")).toBe("False NoTraffic");
    const asked = world.probes.length;
    await world.idle(10);
    expect(world.probes.length - asked).toBeGreaterThanOrEqual(9);
    expect(world.probes.length - asked).toBeLessThanOrEqual(12);
    await world.idle(200);
    expect(world.replicas(NAME)).toBe(1);
    world.isActivatorAnswering = () => Promise.resolve(true);
    await world.idle(5);
    expect(world.replicas(NAME)).toBe(0);
  });

  test("a probe that never answers counts as a no, and holds up no other revision (K-74)", async () => {
    await using world = await World.start();
    await world.addRevision(NAME);
    const other = await world.addRevision("other-00001");
    await world.idle(70);
    expect(world.replicas("other-00001")).toBe(0);
    world.isActivatorAnswering = () => new Promise<boolean>(() => {});
    await world.load(other, 1, 3);
    expect(world.replicas("other-00001")).toBe(1);
    await world.idle(100);
    expect(world.replicas("other-00001")).toBe(1);
  });

  test("traffic that comes back while the activator is asked keeps the pod (K-83)", async () => {
    await using world = await World.start();
    let answer: (isInPath: boolean) => void = () => {};
    world.isActivatorAnswering = () => new Promise((resolve) => (answer = resolve));
    const revision = await world.addRevision(NAME);
    await world.idle(62);
    expect(world.probes.length).toBe(1);
    world.report(revision, 1);
    await world.clock.advanceAsync(1_000);
    answer(true);
    await world.clock.settle();
    expect(world.replicas(NAME)).toBe(1);
    expect(world.condition(NAME, "Active")).toBe("True");
    expect(world.scalePatches).toEqual([]);
  });

  test("unlimited burst is not probed, and its last pod waits for an activator that could wake it (K-76, K-84)", async () => {
    await using world = await World.start({ activators: 0 });
    await world.addRevision(NAME, { annotations: { [TBC]: "-1" } });
    await world.idle(200);
    expect(world.condition(NAME, "Active")).toBe("False NoTraffic");
    expect(world.replicas(NAME)).toBe(1);
    expect(world.scrapes).toBeGreaterThan(0); // nobody else would know of its load: K-91
    await world.setActivators(1);
    await world.idle(4);
    expect(world.replicas(NAME)).toBe(0);
    expect(world.probes).toEqual([]);
  });

  test("a revision nobody can reach keeps neither minimum nor retention (W-23, S-106)", async () => {
    await using world = await World.start();
    const annotations = {
      [`${PREFIX}/min-scale`]: "1",
      [`${PREFIX}/scale-to-zero-pod-retention-period`]: "10m",
    };
    await world.addRevision(NAME, { annotations, reachability: "Unreachable" });
    await world.idle(100);
    expect(world.replicas(NAME)).toBe(0);
  });

  test("with scale to zero disabled one pod stays (S-101)", async () => {
    await using world = await World.start({ config: { "enable-scale-to-zero": "false" } });
    await world.addRevision(NAME);
    await world.idle(200);
    expect(world.replicas(NAME)).toBe(1);
    expect(world.condition(NAME, "Active")).toBe("True");
  });
});

describe("who stands in the path (K-54, K-64, K-65, S-99)", () => {
  test("spare capacity for a burst takes the activators out, a load near the limit brings them back", async () => {
    await using world = await World.start();
    const annotations = { [TBC]: "50" };
    const revision = await world.addRevision(NAME, { annotations });
    await world.idle(5);
    expect(world.mode(NAME)).toBe("Serve"); // 100 - 50 - 0
    world.directLoad = 60;
    await world.idle(7);
    expect(world.mode(NAME)).toBe("Proxy"); // 100 - 50 - 60
    expect(world.sks(NAME).spec.numActivators).toBe(2);
    expect(world.autoscaler.explain(revision)?.applied?.mode.mode).toBe("Proxy");
    world.directLoad = 0;
    await world.idle(10);
    expect(world.mode(NAME)).toBe("Serve");
  });

  test("the number of activators follows the pods (W-16, K-55)", async () => {
    await using world = await World.start();
    await world.addRevision(NAME);
    await world.idle(3);
    expect(world.sks(NAME).spec).toMatchObject({ mode: "Proxy", numActivators: 4 });
  });
});

describe("changes are told as Events", () => {
  test("one for each change of scale or mode, with the formula; none while nothing changes", async () => {
    await using world = await World.start();
    const revision = await asleep(world, { containerConcurrency: 10 });
    const messages = async (): Promise<readonly string[]> => {
      const { items } = await world.client.list(EventKind);
      return items.map(({ message }) => message ?? "");
    };
    const before = await messages();
    await world.load(revision, 14, 3);
    const added = (await messages()).filter((message) => !before.includes(message));
    expect(
      added.some((message) => /^wants 2 pods; Proxy mode: .* \(2 pods: .* \/ 7 each: 2 pods/.test(message)),
    ).toBe(true);
    const told = (await messages()).length;
    await world.load(revision, 14, 20);
    expect((await messages()).length).toBeLessThanOrEqual(told + 1);
  });
});
