import { SeededRandom } from "@rouse/shared";
import { expect, test } from "vitest";
import { type ScalePatch, World } from "./world.ts";

const NAME = "hello-00001";
const SEEDS = 40;
const STEPS = 150;
/** A report a second, and a cache that lags behind by most of one. */
const WAKE_MS_MAX = 2_500;

/** What a seed draws before anything happens. */
interface Draw {
  readonly burst: number;
  readonly graceMs: number;
  readonly retentionMs: number;
  readonly minScale: number;
  readonly maxScale: number;
  readonly containerConcurrency: number;
  readonly watchLagMs: number;
}

function draw(random: SeededRandom): Draw {
  const minScale = random.chance(0.2) ? random.integer(1, 3) : 0;
  return {
    burst: [-1, 0, 20, 211][random.integer(0, 3)] ?? 0,
    graceMs: random.integer(1, 40) * 1_000,
    retentionMs: random.chance(0.5) ? 0 : random.integer(1, 60) * 1_000,
    minScale,
    maxScale: random.chance(0.5) ? 0 : minScale + random.integer(1, 5),
    containerConcurrency: [0, 1, 10][random.integer(0, 2)] ?? 0,
    watchLagMs: [0, 50, 700][random.integer(0, 2)] ?? 0,
  };
}

test.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
  "whatever comes, no pod goes early, none is kept for ever and none is missing: seed %i (I-5..I-9, S-98, K-82)",
  async (seed) => {
    const random = new SeededRandom(seed);
    const drawn = draw(random);
    const config = {
      "stable-window": `${random.integer(6, 20)}s`,
      "scale-to-zero-grace-period": `${drawn.graceMs / 1_000}s`,
    };
    await using world = await World.start(
      { config, podStartMs: random.integer(0, 5_000), watchLagMs: drawn.watchLagMs },
      seed,
    );
    const revision = await world.addRevision(NAME, {
      containerConcurrency: drawn.containerConcurrency,
      annotations: {
        "autoscaling.knative.dev/target-burst-capacity": String(drawn.burst),
        "autoscaling.knative.dev/scale-to-zero-pod-retention-period": `${drawn.retentionMs}ms`,
        "autoscaling.knative.dev/min-scale": String(drawn.minScale),
        "autoscaling.knative.dev/max-scale": String(drawn.maxScale),
      },
    });
    await world.idle(3);
    const proxied = world.isActivatorAnswering;
    const flaky = new SeededRandom(seed + 1_000);
    world.isActivatorAnswering = (target) =>
      flaky.chance(0.2) ? Promise.reject(new Error("reset")) : proxied(target);

    let load = 0;
    let loadedSinceMs = 0;
    for (let step = 0; step < STEPS; step++) {
      if (random.chance(0.1)) load = random.chance(0.5) ? 0 : random.integer(1, 60);
      if (load === 0) loadedSinceMs = world.clock.now();
      if (random.chance(0.01)) {
        await world.stopAutoscaler();
        await world.startAutoscaler();
      }
      const isServed = world.mode(NAME) === "Serve" && world.readyPods(NAME) > 0;
      world.directLoad = isServed ? load : 0;
      if (!isServed && load > 0) world.report(revision, load);
      await world.clock.advanceAsync(random.chance(0.1) ? random.integer(0, 900) : 1_000);
      if (world.clock.now() - loadedSinceMs > WAKE_MS_MAX) expect(world.replicas(NAME)).toBeGreaterThan(0);
      if (drawn.maxScale > 0) expect(world.replicas(NAME)).toBeLessThanOrEqual(drawn.maxScale);
    }
    for (const patch of world.scalePatches) expectAllowed(patch, drawn);

    // Silence: it ends at its minimum, and then nothing is written any more, however often it is looked at (I-9).
    world.directLoad = 0;
    world.isActivatorAnswering = proxied;
    await world.idle(240);
    expect(world.replicas(NAME)).toBe(drawn.minScale);
    const { writes } = world;
    await world.configure({ ...config, "activator-capacity": "100.0" });
    await world.idle(3);
    expect(world.writes).toBe(writes);
    if (drawn.minScale === 0) expect(world.clock.pendingTimers).toBe(1);
  },
);

function expectAllowed(patch: ScalePatch, { burst, graceMs, retentionMs }: Draw): void {
  expect(patch.replicas).not.toBe(patch.from);
  if (patch.replicas !== 0) return;
  expect(patch.active, "I-7").not.toBe("True");
  if (patch.active !== "False") return;
  expect(patch.isProbed || burst === -1, "I-5").toBe(true);
  expect(patch.activeForMs, "I-6").toBeGreaterThanOrEqual(retentionMs);
  expect(Math.max(patch.activeForMs, patch.proxyForMs), "I-6").toBeGreaterThanOrEqual(graceMs);
}
