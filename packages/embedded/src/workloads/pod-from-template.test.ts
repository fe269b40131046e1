import { type Deployment, SeededRandom, type Stored } from "@rouse/shared";
import { expect, test } from "vitest";
import { podFromTemplate, templateHash } from "./pod-from-template.ts";

const template = {
  metadata: { labels: { a: "1", b: "2" } },
  spec: { containers: [{ name: "c", image: "i" }] },
};
const of = (changed: object): Pick<Deployment, "spec"> => ({
  spec: { selector: {}, template: { ...template, ...changed } },
});

test("the hash is of what the template says, not of how it is written", () => {
  const hash = templateHash(of({}));
  const reordered = {
    spec: { containers: [{ image: "i", name: "c" }] },
    metadata: { labels: { b: "2", a: "1" } },
  };
  expect(templateHash({ spec: { selector: {}, template: reordered, replicas: 7 } })).toBe(hash);
  expect(templateHash(of({ metadata: { labels: { a: "1", b: "3" } } }))).not.toBe(hash);
  expect(templateHash(of({ spec: { containers: [{ name: "c", image: "j" }] } }))).not.toBe(hash);
  expect(hash).toMatch(/^[0-9a-f]{10}$/);
});

test("a name is never longer than a host name may be", () => {
  const deployment: Stored<Deployment> = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "x".repeat(63),
      namespace: "ns",
      uid: "u",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "",
    },
    ...of({}),
  };
  const { metadata } = podFromTemplate(deployment, "h", new SeededRandom(1));
  expect(metadata.name).toMatch(/^x{57}-[a-z0-9]{5}$/);
});
