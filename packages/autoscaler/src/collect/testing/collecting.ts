import { revisionKey, SeededRandom, type Stat } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import type { MeshMode } from "../../config/mesh-config.ts";
import { ScrapeFailure } from "../../scrape/scrape-failure.ts";
import { type CollectionHealth, MetricCollector } from "../metric-collector.ts";

export const revision = revisionKey({ namespace: "default", name: "hello-00001" });
export const spec = {
  stableSeconds: 60,
  panicSeconds: 6,
  aggregation: "linear",
  scrapeTarget: "hello-private",
} as const;
export const saying = (podName: string, load = 1): Stat => ({
  podName,
  averageConcurrentRequests: load,
  averageProxiedConcurrentRequests: 0,
  requestCount: load,
  proxiedRequestCount: 0,
  processUptime: 100,
  timestamp: 0,
});

type Answer = Stat | ScrapeFailure | Promise<Stat>;

/** Four ready pods; what a question to a pod, or to their Service, comes to is said by the test. */
export function collecting(
  mesh: MeshMode,
  direct: (pod: string) => Answer,
  scrapeTarget: string = spec.scrapeTarget,
  service: (call: number) => Answer = (call) => saying(`s${call}`),
) {
  const clock = new VirtualClock();
  const calls = { direct: 0, service: 0 };
  const activators = { ready: 1 };
  const health: CollectionHealth[] = [];
  const names = ["a", "b", "c", "d"];
  const collector = new MetricCollector(
    {
      clock,
      random: new SeededRandom(1),
      pods: {
        counts: () => ({ ready: 4, notReady: 0, pending: 0, terminating: 0 }),
        readyPods: () =>
          names.map((name) => ({
            namespace: "default",
            name,
            ip: "127.0.0.1",
            startedAt: 0,
            deletionCost: undefined,
          })),
      },
      scraper: {
        scrape: ({ name }) => {
          calls.direct++;
          return settled(direct(name));
        },
        scrapeAny: () => settled(service(calls.service++)),
      },
      readyActivators: () => activators.ready,
      onHealth: () => health.push(collector.health(revision)),
    },
    { sample: "statistical", mesh },
  );
  collector.ensure(revision, { ...spec, scrapeTarget });
  return { collector, calls, health, activators, clock };
}

function settled(answer: Answer): Promise<Stat> {
  return answer instanceof ScrapeFailure ? Promise.reject(answer) : Promise.resolve(answer);
}
