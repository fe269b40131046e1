import { endpoint, objectKey } from "@rouse/shared";
import { expect, test } from "vitest";
import { LatestPods } from "./latest-pods.ts";

const at = (index: number) => endpoint({ ip: `10.0.${index >> 8}.${index & 255}`, port: 8012 });
const pod = (name: string) => objectKey({ namespace: "default", name });

test("the pod that was last at an endpoint; of a thousand, the one not renewed for longest goes", () => {
  const pods = new LatestPods();
  for (let index = 0; index < 1_000; index++) pods.set(at(index), pod(`pod-${index}`));
  pods.set(at(0), pod("again"));
  pods.set(at(1_000), pod("one-more"));
  expect([pods.get(at(0)), pods.get(at(1)), pods.get(at(1_000))]).toEqual([
    "default/again",
    undefined,
    "default/one-more",
  ]);
});
