import { objectKey } from "@rouse/shared";
import { expect, test } from "vitest";
import { OwnWrites } from "./own-writes.ts";

const key = objectKey({ namespace: "n", name: "a" });
const version = (resourceVersion: string, uid = "u") => ({
  metadata: {
    name: "a",
    namespace: "n",
    uid,
    resourceVersion,
    generation: 1,
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
});

test.each([
  { cached: "8", isOwn: true, why: "the cache is behind" },
  { cached: "9", isOwn: false, why: "the cache has caught up" },
  { cached: "10", isOwn: false, why: "somebody wrote after us; 10 is more than 9" },
  { cached: "x", isOwn: false, why: "versions that cannot be compared" },
])("written 9, cached $cached: own is $isOwn, $why", ({ cached, isOwn }) => {
  const writes = new OwnWrites<ReturnType<typeof version>>();
  writes.remember(key, version("9"));
  const seen = version(cached);
  expect(writes.latest(key, seen)).toEqual(isOwn ? version("9") : seen);
  if (!isOwn) expect(writes.latest(key, version("1"))).toEqual(version("1"));
});

test("a successor and an object that is gone are never what we wrote", () => {
  const writes = new OwnWrites<ReturnType<typeof version>>();
  writes.remember(key, version("9"));
  expect(writes.latest(key, version("3", "other"))).toEqual(version("3", "other"));
  writes.remember(key, version("9"));
  expect(writes.latest(key, undefined)).toBeUndefined();
});
