import { revisionKey } from "@rouse/shared";
import { expect, test } from "vitest";
import { Buckets, bucketNames } from "./buckets.ts";

const inNamespace = (text: string) => {
  const [namespace = "", name = ""] = text.split("/");
  return revisionKey({ namespace, name });
};

test("S-130: buckets are named with two digits", () => {
  expect(bucketNames(1)).toEqual(["autoscaler-bucket-00-of-01"]);
  expect(bucketNames(10).at(-1)).toBe("autoscaler-bucket-09-of-10");
});

test.each([
  { prefix: "as-bucket", count: 2, revision: "knative-testing/succulent", want: "as-bucket-00-of-02" },
  { prefix: "as-bucket", count: 2, revision: "knative-testing/plant", want: "as-bucket-01-of-02" },
  {
    prefix: "autoscaler-bucket",
    count: 3,
    revision: "default/hello-00001",
    want: "autoscaler-bucket-00-of-03",
  },
  {
    prefix: "autoscaler-bucket",
    count: 3,
    revision: "default/hello-00002",
    want: "autoscaler-bucket-01-of-03",
  },
  {
    prefix: "autoscaler-bucket",
    count: 3,
    revision: "prod/checkout-00007",
    want: "autoscaler-bucket-02-of-03",
  },
])("V-46, S-133, S-134: $revision is in $want", ({ prefix, count, revision, want }) => {
  const names = bucketNames(count).map((name) => name.replace("autoscaler-bucket", prefix));
  const buckets = new Buckets(names);
  expect(buckets.of(inNamespace(revision))).toBe(want);
  expect(buckets.of(inNamespace(revision))).toBe(want); // from memory
});

test("S-133: more revisions than are remembered come to the same answers", () => {
  const buckets = new Buckets(bucketNames(4));
  const keys = Array.from({ length: 5_000 }, (_, index) => inNamespace(`default/r-${index}`));
  const first = keys.map((key) => buckets.of(key));
  expect(keys.map((key) => buckets.of(key))).toEqual(first);
  expect(new Set(first).size).toBe(4);
});
