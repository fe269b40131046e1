import { SeededRandom, type Stat } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { sampleSize, scrapeOrder } from "./scrape-plan.ts";
import { extrapolated, scrapeRevision } from "./scrape-revision.ts";

const saying = (load: number, podName = "pod"): Stat => ({
  podName,
  averageConcurrentRequests: load,
  averageProxiedConcurrentRequests: load / 2,
  requestCount: load * 3,
  proxiedRequestCount: 0,
  processUptime: 1,
  timestamp: 0,
});
const empty: Stat = { ...saying(0, ""), processUptime: 0 };

test.each([
  [0, 0],
  [1, 1],
  [2, 2],
  [3, 3],
  [4, 4],
  [5, 4],
  [6, 5],
  [7, 6],
  [8, 6],
  [10, 7],
  [11, 7],
  [15, 8],
  [20, 9],
  [25, 10],
  [30, 11],
  [50, 12],
  [100, 14],
  [200, 15],
  [500, 15],
  [1000, 16],
  [5000, 16],
])("of %i pods %i are asked (V-31, S-46)", (population, want) => {
  expect(sampleSize(population)).toBe(want);
});

test.each([
  { population: 6, replies: [2, 4, 6, 8, 10], want: 36 },
  { population: 11, replies: [8, 10, 12, 14, 16, 18, 20], want: 154 },
  { population: 4, replies: [2, 4, 6, 8], want: 20 },
  { population: 3, replies: [3, 5, 3], want: 11 },
])("$replies of $population pods make $want (V-32)", ({ population, replies, want }) => {
  const stat = extrapolated(
    replies.map((load) => saying(load)),
    population,
  );
  expect(stat.averageConcurrentRequests).toBeCloseTo(want, 9);
  expect(stat.averageProxiedConcurrentRequests).toBeCloseTo(want / 2, 9);
  expect(stat.requestCount).toBeCloseTo(want * 3, 9);
  expect(stat.podName).toBe("service-scraper");
});

describe("which pods are asked (S-47, V-33)", () => {
  const pods = (old: number, young: number) => [
    ...Array.from({ length: young }, (_, index) => ({ name: `young-${index}`, startedAt: 1_000 })),
    ...Array.from({ length: old }, (_, index) => ({ name: `old-${index}`, startedAt: 100 })),
  ];
  async function asked(of: ReturnType<typeof pods>, isSilent = (_name: string) => false, seed = 1) {
    const sample = sampleSize(of.length);
    const names: string[] = [];
    const order = scrapeOrder(of, { sample, oldSince: 500, random: new SeededRandom(seed) });
    const outcome = await scrapeRevision(order, sample, async ({ name }) => {
      names.push(name);
      return isSilent(name) ? undefined : saying(1);
    });
    return { names, outcome };
  }

  test("few old pods are all among them", async () => {
    const { names } = await asked(pods(5, 20));
    expect(names.length).toBe(10);
    expect(names.filter((name) => name.startsWith("old")).length).toBe(5);
  });

  test("with enough old ones they are all old, and not always the same", async () => {
    const { names } = await asked(pods(25, 5));
    expect(names.length).toBe(11);
    expect(names.every((name) => name.startsWith("old"))).toBe(true);
    expect((await asked(pods(25, 5), undefined, 2)).names.toSorted()).not.toEqual(names.toSorted());
  });

  test("silent ones are passed over for others", async () => {
    const { names, outcome } = await asked(pods(11, 19), (name) => name.startsWith("old"));
    expect(names.length).toBe(22);
    expect(outcome.kind).toBe("scraped");
  });

  test("a pod that does not say when it started is young", () => {
    const order = scrapeOrder([{ startedAt: undefined }, { startedAt: 1 }], {
      sample: 2,
      oldSince: 5,
      random: new SeededRandom(1),
    });
    expect(order[0]).toEqual({ startedAt: 1 });
  });
});

test("too few answers are none, and neither errors nor empty stats count as one (S-28, S-48)", async () => {
  const answers: Record<string, () => Promise<Stat | undefined>> = {
    a: () => Promise.resolve(saying(1)),
    b: () => Promise.reject(new Error("refused")),
    c: () => Promise.resolve(empty),
  };
  const outcome = await scrapeRevision(
    ["a", "b", "c"],
    3,
    (name) => answers[name]?.() ?? Promise.resolve(undefined),
  );
  expect(outcome).toMatchObject({ kind: "failed", answered: 1, of: 3 });
});
