import { SeededRandom } from "@rouse/shared";
import { expect, test } from "vitest";
import { PodAddresses } from "./pod-addresses.ts";

test("addresses differ, and one given back comes last", () => {
  const addresses = new PodAddresses(new SeededRandom(1), { isPerPod: true });
  const first = addresses.take();
  addresses.release(first);
  const others = Array.from({ length: 1_000 }, () => addresses.take());
  expect(others).not.toContain(first);
  expect(new Set(others).size).toBe(1_000);
  for (const ip of others) expect(ip).toMatch(/^127\.\d+\.[1-9]\d*\.[1-9]\d*$/);
});

test("addresses in use are never given twice, even after a whole round", () => {
  const addresses = new PodAddresses(new SeededRandom(1), { isPerPod: true });
  const kept = addresses.take();
  for (let times = 0; times < 254 * 254 + 10; times++) {
    const ip = addresses.take();
    expect(ip === kept).toBe(false);
    addresses.release(ip);
  }
});

test("without a range there is one address", () => {
  const addresses = new PodAddresses(new SeededRandom(1), { isPerPod: false });
  expect([addresses.take(), addresses.take()]).toEqual(["127.0.0.1", "127.0.0.1"]);
});
