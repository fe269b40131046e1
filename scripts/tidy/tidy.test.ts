import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { repositoryFiles } from "./repository-files.ts";
import { tidy } from "./rules.ts";
import { codeOnly } from "./source-text.ts";

const rulesBroken = (path: string, text: string): readonly string[] =>
  tidy([{ path, text }]).map((finding) => finding.rule);

test("the repository is tidy", () => {
  const root = resolve(import.meta.dirname, "../..");
  const findings = tidy(repositoryFiles(root));
  expect(findings.map(({ path, line, rule, message }) => `${path}:${line} ${rule}: ${message}`)).toEqual([]);
});

describe("each rule fires", () => {
  const src = "packages/activator/src/wiring.ts";
  test.each([
    { rule: "import-direction", path: src, text: 'import { Kubelet } from "@rouse/embedded";' },
    { rule: "import-direction", path: src, text: 'import { QueueProxy } from "@rouse/queue-proxy";' },
    { rule: "import-direction", path: src, text: 'import { x } from "@rouse/shared/src/random.ts";' },
    { rule: "import-direction", path: src, text: 'import { VirtualClock } from "@rouse/shared/testing";' },
    { rule: "import-direction", path: src, text: 'import { propagator } from "@rouse/shared/otel";' },
    { rule: "import-direction", path: src, text: 'export { x } from "../../gateway/src/index.ts";' },
    { rule: "import-direction", path: src, text: 'const x = await import("@rouse/embedded");' },
    { rule: "import-direction", path: src, text: 'import { Activator } from "@rouse/activator";' },
    { rule: "import-direction", path: "packages/shared/src/a.ts", text: 'import "@rouse/gateway";' },
    {
      rule: "import-direction",
      path: "packages/cli/src/a.ts",
      text: 'import { A } from "@rouse/activator";',
    },
    { rule: "no-run-time-dependency", path: src, text: 'import { Pool } from "undici";' },
    { rule: "clock-and-chance-have-homes", path: src, text: "const at = Date.now();" },
    { rule: "clock-and-chance-have-homes", path: src, text: "const at = new Date();" },
    { rule: "clock-and-chance-have-homes", path: src, text: "const at = performance.now();" },
    { rule: "clock-and-chance-have-homes", path: src, text: "setTimeout(() => {}, 5);" },
    { rule: "clock-and-chance-have-homes", path: src, text: "setInterval(tick, 5);" },
    { rule: "clock-and-chance-have-homes", path: src, text: "setImmediate(tick);" },
    { rule: "clock-and-chance-have-homes", path: src, text: "const x = Math.random();" },
    { rule: "clock-and-chance-have-homes", path: src, text: 'import { wait } from "node:timers/promises";' },
    { rule: "clock-and-chance-have-homes", path: "packages/cli/src/a.test.ts", text: "setTimeout(done, 5);" },
    { rule: "environment-has-a-home", path: src, text: "const port = process.env.PORT;" },
    { rule: "exports-by-name", path: src, text: 'export * from "./a.ts";' },
    { rule: "a-file-has-a-concept", path: "packages/shared/src/utils.ts", text: "" },
    { rule: "a-file-has-a-concept", path: "packages/shared/src/helpers/x.ts", text: "" },
    { rule: "a-file-has-a-concept", path: "packages/shared/src/types.ts", text: "" },
    { rule: "every-test-runs", path: "packages/cli/src/a.test.ts", text: 'test.skip("x", () => {});' },
    { rule: "every-test-runs", path: "packages/cli/src/a.test.ts", text: 'describe.only("x", () => {});' },
    {
      rule: "every-test-runs",
      path: "packages/cli/src/a.test.ts",
      text: 'test.only.each([])("x", () => {});',
    },
    { rule: "nothing-unfinished", path: src, text: "// TODO later" },
    { rule: "nothing-unfinished", path: "README.md", text: "FIXME" },
    { rule: "no-machine-in-the-text", path: "README.md", text: "run it from /home/somebody/rouse" },
    { rule: "no-machine-in-the-text", path: "README.md", text: "see https://registry.npmjs.org/x" },
  ])("$rule in $path: $text", ({ rule, path, text }) => {
    expect(rulesBroken(path, text)).toContain(rule);
  });
});

describe("nothing else does", () => {
  test.each([
    { path: "packages/activator/src/a.ts", text: 'import { Clock } from "@rouse/shared";' },
    {
      path: "packages/activator/src/a.test.ts",
      text: 'import { VirtualClock } from "@rouse/shared/testing";',
    },
    { path: "packages/activator/test/a.sim.test.ts", text: 'import fc from "fast-check";' },
    { path: "packages/embedded/src/a.ts", text: 'import { Activator } from "@rouse/activator";' },
    { path: "packages/embedded/src/a.ts", text: 'import { parse } from "yaml";' },
    { path: "packages/shared/src/clock/real-clock.ts", text: "setTimeout(fire, Date.now());" },
    { path: "packages/shared/src/random.ts", text: "Math.random();" },
    { path: "packages/cli/src/config.ts", text: "const port = process.env.PORT;" },
    { path: "packages/cli/src/a.ts", text: "this.setTimeout(5); // Date.now() is banned" },
    { path: "packages/cli/src/a.ts", text: 'const code = "setTimeout(() => {}, 5)"; // export * from' },
    { path: "packages/cli/src/a.ts", text: `const code = \`\${"x"} Math.random() \${1}\`;` },
    { path: "packages/cli/src/container-types.ts", text: "" },
    { path: "packages/cli/src/a.ts", text: 'import { a } from "./home/work/a.ts";' },
    { path: "bench/src/a.ts", text: "performance.now(); process.env.PORT;" },
    { path: "packages/cli/src/a.test.ts", text: "await new Promise((turn) => setImmediate(turn));" },
    { path: "packages/cli/src/a.test.ts", text: 'test.skipIf(isRoot)("x", () => {});' },
  ])("$path: $text", ({ path, text }) => {
    expect(rulesBroken(path, text)).toEqual([]);
  });
});

test("a finding names its line", () => {
  const text = "const a = 1;\n/* Date.now() */\nconst b = Date.now();\n";
  expect(tidy([{ path: "packages/cli/src/a.ts", text }])).toEqual([
    expect.objectContaining({ path: "packages/cli/src/a.ts", line: 3 }),
  ]);
});

test.each([
  { text: "a // b\nc", code: "a     \nc" },
  { text: "a /* b\n */ c", code: "a     \n    c" },
  { text: 'f("x\\"y", z)', code: 'f("    ", z)' },
  { text: "x = /a\\/[/]b/g; y", code: "x = /       /g; y" },
  { text: "x = a / b / c", code: "x = a / b / c" },
  { text: "return /'/.test(x)", code: "return / /.test(x)" },
  { text: `\`a\${f({ b: "c" })}d\` + e`, code: `\` \${f({ b: " " })} \` + e` },
])("code of $text", ({ text, code }) => {
  expect(codeOnly(text)).toBe(code);
});
