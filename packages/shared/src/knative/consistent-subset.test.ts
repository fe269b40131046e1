import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { consistentSubset } from "./consistent-subset.ts";

const many = [1, 2].flatMap((net) => [1, 2, 3, 4].map((host) => `10.1.${net}.${host}`));
const five = [1, 2, 3, 4, 5].map((host) => `10.0.0.${host}`);

describe("W-13: subsets of activators", () => {
  test.each([
    {
      from: many,
      count: 5,
      target: "to-proxy-with-subset",
      want: ["10.1.2.4", "10.1.2.3", "10.1.1.1", "10.1.2.2", "10.1.1.4"],
    },
    { from: five, count: 2, target: "hello-00001", want: ["10.0.0.5", "10.0.0.4"] },
    { from: five, count: 3, target: "hello-00001", want: ["10.0.0.5", "10.0.0.4", "10.0.0.2"] },
    { from: five, count: 3, target: "hello-00002", want: ["10.0.0.5", "10.0.0.2", "10.0.0.3"] },
  ])("$count for $target", ({ from, count, target, want }) => {
    expect([...consistentSubset(from, { count, target })]).toEqual(want);
  });
});

describe("V-46: the owner of a key among buckets", () => {
  const two = ["as-bucket-00-of-02", "as-bucket-01-of-02"];
  const three = [0, 1, 2].map((index) => `autoscaler-bucket-0${index}-of-03`);
  test.each([
    { buckets: two, target: "knative-testing/succulent", want: two[0] },
    { buckets: two, target: "knative-testing/plant", want: two[1] },
    { buckets: three, target: "default/hello-00001", want: three[0] },
    { buckets: three, target: "default/hello-00002", want: three[1] },
    { buckets: three, target: "prod/checkout-00007", want: three[2] },
  ])("$target belongs to $want", ({ buckets, target, want }) => {
    expect([...consistentSubset(buckets, { count: 1, target })]).toEqual([want]);
  });
});

const elements = fc.uniqueArray(fc.ipV4(), { minLength: 1, maxLength: 60 });

test("K-37: exactly as many as asked, whatever the order, and a larger count extends a smaller one", () => {
  fc.assert(
    fc.property(elements, fc.string(), fc.nat(60), (all, target, count) => {
      const chosen = [...consistentSubset(all, { count, target })];
      expect(chosen).toHaveLength(Math.min(count, all.length));
      expect(new Set(consistentSubset([...all].reverse(), { count, target }))).toEqual(new Set(chosen));
      const more = consistentSubset(all, { count: count + 1, target });
      for (const name of chosen) expect(more.has(name)).toBe(true);
    }),
  );
});

test("I-11: an element that leaves and comes back finds the subset as it was", () => {
  fc.assert(
    fc.property(elements, fc.string(), fc.nat(60), fc.nat(), (all, target, count, index) => {
      const before = consistentSubset(all, { count, target });
      const leaving = all[index % all.length];
      consistentSubset(
        all.filter((element) => element !== leaving),
        { count, target },
      );
      const back = [
        ...all.filter((element) => element !== leaving),
        ...(leaving === undefined ? [] : [leaving]),
      ];
      expect(new Set(consistentSubset(back, { count, target }))).toEqual(new Set(before));
    }),
  );
});

test("more elements than slots still end", () => {
  const all = Array.from({ length: 3_000 }, (_, index) => `10.${index >> 8}.${index & 255}.1`);
  expect(consistentSubset(all, { count: 2_000, target: "busy-00001" }).size).toBe(2_000);
});
