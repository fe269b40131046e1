import { endpoint, endpointAddress, SeededRandom } from "@rouse/shared";
import { benchmark } from "@rouse/shared/testing";
import { PodSet } from "./pod-set.ts";

/**
 * What do a pick and a release cost with so many pods, nearly all of them busy, which is when a walk would be long?
 * Budget: at 10,000 pods twice what it is at 10. Returns the number of picks.
 */
function pickAndRelease(podCount: number, containerConcurrency: number) {
  const name = `pick and release, containerConcurrency ${containerConcurrency}, ${podCount} pods`;
  return benchmark(name, { small: 50, full: 2_000_000 }, (count) => {
    const random = new SeededRandom(1);
    const pods = new PodSet({
      containerConcurrency,
      connect: (at) => ({ ...endpointAddress(at), close: () => {} }),
    });
    pods.setUsable(
      Array.from({ length: podCount }, (_, i) =>
        endpoint({ ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, port: 80 }),
      ),
    );
    for (let slot = 1; slot < podCount * containerConcurrency; slot++) pods.reserve(random);
    let picks = 0;
    for (let round = 0; round < count; round++) {
      const tracker = pods.reserve(random);
      if (tracker === undefined) continue;
      picks++;
      pods.release(tracker);
    }
    return picks;
  });
}

export const picks = [10, 10_000].flatMap((pods) => [0, 1, 10].map((each) => pickAndRelease(pods, each)));
