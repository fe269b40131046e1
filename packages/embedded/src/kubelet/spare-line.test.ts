import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Program } from "./program.ts";
import { spareLine } from "./spare-line.ts";

const environment = { PATH: "/no/such:relative:/usr/bin:/bin" };

function program(more: Partial<Program> = {}): Program {
  return { file: "sh", args: ["-c", ":"], directory: "/usr", environment, ...more };
}

/** What a shell that is given the line prints. */
function told(of: Program): string {
  const line = spareLine(of) ?? expect.fail("no line");
  return spawnSync("/bin/sh", ["-c", 'eval "$(cat)"'], { input: line, env: {} }).stdout.toString();
}

describe("the line for a waiting shell", () => {
  test("runs the program in its directory, with its arguments and no variable but its own", () => {
    const odd = `it's "$HOME" \\ \`id\` $(id)\n; exit 9 # ü `;
    const text = 'pwd; printf "%s|" "$@"; env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= -e ^PATH=';
    const args = ["-c", text, "sh", odd, ""];
    expect(told(program({ args, environment: { ...environment, ODD: "a'b" } }))).toBe(
      `/usr\n${odd}||ODD=a'b\n`,
    );
  });

  test("keeps a variable the shell has a meaning for when the program has it", () => {
    const of = program({
      file: "/usr/bin/env",
      args: [],
      environment: { ...environment, PWD: "mine", SHLVL: "7" },
    });
    const lines = told(of).trim().split("\n");
    expect(lines.toSorted()).toEqual([`PATH=${environment.PATH}`, "PWD=mine", "SHLVL=7"]);
  });

  test("takes a path with a slash from the program's directory", () => {
    expect(spareLine(program({ file: "bin/env" }))).toContain("exec '/usr/bin/env' ");
  });

  test.each<[string, Partial<Program>]>([
    ["a variable's name is none for a shell", { environment: { "a.b": "1" } }],
    ["an argument holds a zero byte", { args: ["\0"] }],
    ["a value holds a zero byte", { environment: { ...environment, A: "a\0b" } }],
    ["the directory is not there", { directory: "/no/such" }],
    ["the directory is a file", { directory: "/etc/passwd" }],
    ["the program is not there", { file: "no-such-program" }],
    ["the program may not be run", { file: "/etc/passwd" }],
    ["the program is a directory", { file: "/usr" }],
    ["the path leads through a file", { file: "/etc/passwd/sh" }],
    ["it is longer than a socket takes at once", { args: ["x".repeat(65_536)] }],
  ])("there is none where %s", (_why, more) => {
    expect(spareLine(program(more))).toBeUndefined();
  });
});
