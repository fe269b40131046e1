import { benchmark } from "../testing/benchmark.ts";
import { BreakerCore } from "./breaker-core.ts";
import { WaitQueue } from "./wait-queue.ts";

/** What does admission cost when nobody waits? Budget: 1 % of a 50 µs request. */
export const uncontended = benchmark(
  "breaker admit and release",
  { small: 100, full: 10_000_000 },
  (count) => {
    const breaker = new BreakerCore({ queueDepth: 10, maxConcurrency: 10 }, 10);
    let admitted = 0;
    for (let i = 0; i < count; i++) {
      if (breaker.admit() === "run") {
        admitted++;
        breaker.release();
      }
    }
    return admitted; // printed: keeps the work alive, and shows when its meaning changed
  },
);

/** What does it cost to wait in a queue of ten and be handed the place? */
export const contended = benchmark(
  "breaker queue and hand over",
  { small: 100, full: 10_000_000 },
  (count) => {
    const breaker = new BreakerCore({ queueDepth: 10, maxConcurrency: 1 }, 1);
    const waiting = new WaitQueue<number>();
    breaker.admit();
    let served = 0;
    for (let i = 0; i < count; i++) {
      if (breaker.admit() === "queue") waiting.push(i);
      if (breaker.queued < 10) continue;
      for (let left = breaker.release(); left > 0; left--) served += waiting.shift() === undefined ? 0 : 1;
    }
    return served;
  },
);
