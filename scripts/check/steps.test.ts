import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { runStep, type Step } from "./steps.ts";

const step = (program: string, ...args: string[]): Step => ({
  name: "a step",
  command: [program, ...args],
  output: "on-failure",
  limitMs: 60_000,
});
const node = (code: string): Step => step(process.execPath, "-e", code);

test("a step's exit code and all its output are kept", async () => {
  const result = await runStep(node('console.log("a"); console.error("b"); process.exitCode = 3'), tmpdir());
  expect(result).toMatchObject({ exitCode: 3, output: expect.stringContaining("a\n") });
  expect(result.output).toContain("b\n");
});

test("a program that is not there is a failure that names it", async () => {
  const result = await runStep(step("there-is-no-such-program"), tmpdir());
  expect(result.exitCode).not.toBe(0);
  expect(result.output).toContain("there-is-no-such-program");
});

test("a step beyond its limit is ended, and is a failure", async () => {
  const hanging = { ...node("setInterval(() => {}, 1000)"), limitMs: 1 };
  expect(await runStep(hanging, tmpdir())).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining("the limit of this step"),
  });
});

test("nothing can be asked of a step: its input is empty", async () => {
  const reading = node('process.stdin.on("end", () => console.log("no input")).resume()');
  expect(await runStep(reading, tmpdir())).toMatchObject({ exitCode: 0, output: "no input\n" });
});
