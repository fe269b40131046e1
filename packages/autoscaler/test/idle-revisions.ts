import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { World } from "./world.ts";

/**
 * What do idle revisions cost an autoscaler that has its own copies of their objects, as over a wire? Told by what is
 * taken once it starts beside them. Budget for 10,000: 100 MiB.
 */
export async function idleRevisions(
  count: number,
): Promise<{ readonly bytes: number; readonly awake: number; readonly timers: number }> {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  const held = (): number => {
    if (typeof collect === "function") for (let time = 0; time < 3; time++) collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  await using world = await World.start({ config: { "allow-zero-initial-scale": "true" }, isRemote: true });
  const annotations = { "autoscaling.knative.dev/initial-scale": "0" };
  for (let index = 0; index < count; index++)
    await world.addRevision(`idle-${index}`, { annotations, replicas: 0 });
  await world.idle(70);
  await world.stopAutoscaler();
  const before = held();
  await world.startAutoscaler();
  await world.idle(70);
  const awake = world.autoscaler.awakeRevisions;
  const timers = world.clock.pendingTimers;
  return { bytes: held() - before, awake, timers };
}
