import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const textOf = (path: string): string => readFileSync(join(root, path), "utf8");
const specs = ["activator", "autoscaler", "queue-proxy", "serverlessservice", "serving"];

/** Requirements that have a test of their own, by number, as the conformance pages say. */
const tested = new Set(
  specs.flatMap((spec) =>
    [...textOf(`docs/conformance/${spec}.md`).matchAll(/^\| ([A-Z]+-\d+) \|.*\|([^|]*)\|$/gm)].flatMap(
      ([, number = "", by = ""]) => (by.includes(".test.ts") ? [number] : []),
    ),
  ),
);
const rows = [...textOf("docs/interop.md").matchAll(/^\| (\S[^|]*)\|([^|]*)\|([^|]*)\|$/gm)]
  .map(([, peer = "", item = "", by = ""]) => ({ peer: peer.trim(), item: item.trim(), by: by.trim() }))
  .filter(({ peer }) => peer !== "with" && !/^-+$/.test(peer));

describe("the interop checklists", () => {
  test("have all their items", () => {
    expect(rows.length).toBe(30);
  });

  test.each(rows)("$peer: $item", ({ by }) => {
    expect(by.split(", ").filter((number) => !tested.has(number))).toEqual([]);
  });
});
