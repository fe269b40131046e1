import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { numbersIn } from "./numbers.ts";
import { conformancePages } from "./pages.ts";
import { requirementsOf } from "./requirements.ts";
import { specOf, specs } from "./specs.ts";
import { conformancePage } from "./table.ts";
import { namedTests } from "./test-names.ts";

test("docs/conformance is what the tests say; if not, run `pnpm conformance`", () => {
  const root = resolve(import.meta.dirname, "../..");
  const stale = conformancePages(root).filter(
    ({ path, text }) => readFileSync(join(root, path), "utf8") !== text,
  );
  expect(stale.map(({ path }) => path)).toEqual([]);
});

test.each([
  { text: "Q-42: waits", want: ["Q-42"] },
  { text: "says so (A-1, S-2, CV-30)", want: ["A-1", "S-2", "CV-30"] },
  { text: "A-85..A-88", want: ["A-85", "A-86", "A-87", "A-88"] },
  { text: "S-101…S-103", want: ["S-101", "S-102", "S-103"] },
  { text: "V-1 to V-3", want: ["V-1", "V-2", "V-3"] },
  { text: "K-60–62", want: ["K-60", "K-61", "K-62"] },
  { text: "SHA-256, UTF-8, X-9, K-9th", want: [] },
  { text: "S-5..S-4", want: ["S-5"] },
])("numbers in $text", ({ text, want }) => {
  expect(numbersIn(text)).toEqual(want);
});

test("names are read with their groups, and tables by their rows", () => {
  const text = [
    'describe("A-1..A-2: ports", () => {',
    '  test("A-3: listens on (all) interfaces", () => { expect("S-1)").toBe(`S-2`); });',
    '  test("nothing", () => {});',
    "});",
    'test.each([{ why: "K-7", n: 1 }, { why: "K-8" }])("$why holds", () => {});',
    'test.each([{ why: "K-9" }])("of no number", () => {});',
    'const rows: readonly Row[] = [{ name: "V-1 x" }];',
    'test.each(rows)("$name", () => {});',
    '// test("Q-1", () => {})',
    'test.each<{ why: Record<string, (n: number) => string>; n: "a>(b" }>([{ why: "K-10" }])("$why", () => {});',
  ].join("\n");
  expect(namedTests({ path: "packages/a/x.test.ts", text })).toEqual([
    { path: "packages/a/x.test.ts", name: "A-1..A-2: ports", numbers: ["A-1", "A-2"] },
    {
      path: "packages/a/x.test.ts",
      name: "A-1..A-2: ports › A-3: listens on (all) interfaces",
      numbers: ["A-3"],
    },
    { path: "packages/a/x.test.ts", name: "$why holds", numbers: ["K-7", "K-8"] },
    { path: "packages/a/x.test.ts", name: "$name", numbers: ["V-1"] },
    { path: "packages/a/x.test.ts", name: "$why", numbers: ["K-10"] },
  ]);
});

test("a contract's numbers are read from lists and tables", () => {
  const [queueProxy] = specs;
  if (queueProxy === undefined) throw new Error("no contracts");
  const markdown =
    "- Q-1 One proxy per pod. More.\n  Q-2 no\n- **Q-3** MUST listen\n| Q-4 | lost status | x |\n| nil | crashes | **Q-9** use 300 s |\n\n| V | pods | want |\n|---|---|---|\n| 12 | 10 | -98 |\n- S-1 other\n";
  expect(requirementsOf(queueProxy, markdown)).toEqual({
    "Q-1": "One proxy per pod",
    "Q-3": "MUST listen",
    "Q-4": "lost status",
    "Q-9": "nil: use 300 s",
    "V-12": "10 | -98",
  });
});

test.each([
  { number: "V-4", path: "packages/shared/src/breaker/x.test.ts", want: "queue-proxy" },
  { number: "V-4", path: "packages/queue-proxy/src/x.test.ts", want: "queue-proxy" },
  { number: "V-4", path: "packages/autoscaler/src/x.test.ts", want: "autoscaler" },
  { number: "V-35", path: "packages/shared/src/window/x.test.ts", want: "autoscaler" },
  { number: "V-46", path: "packages/shared/src/x.test.ts", want: "autoscaler" },
  { number: "W-4", path: "packages/controller/src/x.test.ts", want: "serverlessservice" },
  { number: "CV-4", path: "packages/controller/src/x.test.ts", want: "serving" },
])("$number in $path is of $want", ({ number, path, want }) => {
  expect(specOf(number, path)?.name).toBe(want);
});

test("a row has its tests, its reason, or nothing yet", () => {
  const spec = { name: "activator", letters: ["A"] };
  const page = conformancePage(spec, {
    requirements: { "A-1": "one", "A-2": "a|b", "A-3": "three" },
    reasons: { "A-2": "of Go alone", "A-9": "gone" },
    tests: [{ path: "packages/activator/src/x.test.ts", name: "A-1: it <works>", numbers: ["A-1"] }],
  });
  expect(page).toContain("3 requirements: 1 tested, 1 without a test for a reason, 1 not yet.");
  expect(page).toContain("| A-1 | one | activator/src/x.test.ts: A-1: it &lt;works&gt; |");
  expect(page).toContain("| A-2 | a\\|b | of Go alone |");
  expect(page).toContain("| A-3 | three | not yet |");
  expect(page).toContain("not in the contract: A-9.");
});
