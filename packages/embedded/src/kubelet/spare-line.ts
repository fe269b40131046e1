import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Program } from "./program.ts";

const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** A shell sets these itself. */
const OF_THE_SHELL = ["PWD", "OLDPWD", "SHLVL", "_"];
/** What its socket takes at once, whatever the machine: half of Linux' smallest default. */
const LINE_BYTES_MAX = 65_536;

/**
 * The line that makes a waiting shell the program, its descriptor 3 closed. `undefined` where only a spawn does the
 * same, or tells the right error: a program or directory that is not there, variables whose names no shell can hold.
 */
export function spareLine(program: Program): string | undefined {
  const { file, args, environment } = program;
  const names = Object.keys(environment);
  if (!names.every((name) => SHELL_NAME.test(name))) return undefined;
  if ([file, ...args, ...Object.values(environment)].some((text) => text.includes("\0"))) return undefined;
  const directory = resolve(program.directory ?? "");
  if (!isDirectory(directory)) return undefined;
  const path = candidates(file, directory, environment.PATH).find(isExecutable);
  if (path === undefined) return undefined;
  const variables = names.map((name) => `export ${name}=${quote(environment[name] ?? "")}; `).join("");
  const unset = OF_THE_SHELL.filter((name) => !names.includes(name)).join(" "); // last, for the reason above
  const command = [path, ...args].map(quote).join(" ");
  const line = `cd ${quote(directory)} || exit 126; ${variables}unset ${unset}; exec ${command} 3<&-`;
  return Buffer.byteLength(line) <= LINE_BYTES_MAX ? line : undefined;
}

function candidates(file: string, directory: string, path: string | undefined): readonly string[] {
  if (file.includes("/")) return [resolve(directory, file)];
  const parts = (path ?? "").split(":").filter((part) => part.startsWith("/"));
  return parts.map((part) => `${part}/${file}`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
