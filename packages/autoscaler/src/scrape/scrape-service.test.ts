import type { Stat } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { ScrapeFailure } from "./scrape-failure.ts";
import { scrapeService } from "./scrape-service.ts";

const saying = (podName: string, load: number, processUptime: number): Stat => ({
  podName,
  averageConcurrentRequests: load,
  averageProxiedConcurrentRequests: 0,
  requestCount: load,
  proxiedRequestCount: 0,
  processUptime,
  timestamp: 0,
});
const OLD = 60;
const YOUNG = 59.9;

/** Gives the answers in turn, the last one again and again; an error is thrown. */
function service(answers: readonly (Stat | Error)[]) {
  let asked = 0;
  return {
    get asked(): number {
      return asked;
    },
    ask: (): Promise<Stat> => {
      const answer = answers[Math.min(asked++, answers.length - 1)];
      return answer instanceof Error || answer === undefined
        ? Promise.reject(answer ?? new Error("nothing"))
        : Promise.resolve(answer);
    },
  };
}

describe("S-49: asking the Service in place of its pods", () => {
  const three = { pods: 3, sample: 3, oldAfterSeconds: 60 };

  test("each old pod that answers ends one worker, and the answers stand for all pods (S-50)", async () => {
    const asked = service([saying("a", 2, OLD), saying("b", 4, OLD), saying("c", 6, OLD)]);
    const outcome = await scrapeService({ ...three, pods: 6 }, asked.ask);
    expect(outcome).toMatchObject({
      kind: "scraped",
      stat: { averageConcurrentRequests: 24, requestCount: 24 },
    });
    expect(asked.asked).toBe(3);
  });

  test("young ones only fill up", async () => {
    const answers = [saying("y", 100, YOUNG), saying("a", 1, OLD), saying("b", 1, OLD), saying("c", 1, OLD)];
    const outcome = await scrapeService(three, service(answers).ask);
    expect(outcome).toMatchObject({ kind: "scraped", stat: { averageConcurrentRequests: 3 } });
  });

  test("a pod heard twice is no new stat, which is forgiven once enough have been heard", async () => {
    const enough = service([saying("a", 3, YOUNG), saying("b", 3, YOUNG), saying("c", 3, YOUNG)]);
    expect(await scrapeService(three, enough.ask)).toMatchObject({ kind: "scraped" });
    const tooFew = await scrapeService(three, service([saying("a", 3, OLD)]).ask);
    expect(tooFew).toMatchObject({ kind: "failed", answered: 1, of: 3 });
    expect(tooFew.kind === "failed" && tooFew.failures.map(({ kind }) => kind)).toEqual([
      "no-new-stat",
      "no-new-stat",
    ]);
  });

  test("a worker gives up with the error of its tenth try", async () => {
    const broken = service([new ScrapeFailure("other", "refused")]);
    const outcome = await scrapeService({ pods: 1, sample: 1, oldAfterSeconds: 60 }, broken.ask);
    expect(outcome).toMatchObject({ kind: "failed", answered: 0, failures: [{ message: "refused" }] });
    expect(broken.asked).toBe(10);
    const late = service([...Array.from({ length: 9 }, () => new Error("not yet")), saying("a", 1, OLD)]);
    expect(await scrapeService({ pods: 1, sample: 1, oldAfterSeconds: 60 }, late.ask)).toMatchObject({
      kind: "scraped",
    });
  });
});
