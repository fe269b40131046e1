import { OUTPUT_MS_MAX } from "./process-runner.ts";

/** Shells that wait to become programs: a burst of more starts the rest by a fork each. */
const SPARES = 4;
/** After one was used: forking waits until the program that was asked for has had its turn. */
const REFILL_MS = 50;

/**
 * The program of the helper process that starts the pods' processes, as text for `node -e`: it has to run by itself
 * wherever this code has been bundled to. It speaks with `SpawnHelper` by IPC:
 *
 * | to it | from it |
 * | --- | --- |
 * | | `["ready"]`, once |
 * | `["run", id, file, args, directory, environment]` | `["started", id, pid, when]` or `["failed", id, code, message]` |
 * | `["signal", id, name]` | `["output", id, stream, bytes]`, each acknowledged before more is read |
 * | | `["exited", id, exitCode, signal name or null]`, after the last output |
 *
 * When the platform is gone, however it went, the channel closes and the helper kills every group it has started.
 *
 * Starting a process takes 1.5 ms and more, most of it `fork`. So a few are forked ahead: shells that lead a group of
 * their own and wait for a line that says which program to become. What a shell could not do in the same way (a
 * program or directory that is not there, variables whose names no shell can hold) is spawned as usual, with its errors.
 */
export const SPAWN_HELPER_PROGRAM = `
const { spawn } = require("node:child_process");
const { accessSync, constants, statSync } = require("node:fs");
const { resolve } = require("node:path");
const OUTPUT_MS_MAX = ${OUTPUT_MS_MAX};
const SPARES = ${SPARES};
const REFILL_MS = ${REFILL_MS};
const children = new Map();
const spares = [];
let refill;

function addSpares() {
  refill = undefined;
  while (spares.length < SPARES && process.connected) {
    // The inner cat waits for the line, so that reading it takes one call and no fork.
    const child = spawn("/bin/sh", ["-c", 'eval "$(cat <&3)"'], {
      env: {}, detached: true, stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    if (child.pid === undefined) {
      child.on("error", () => {});
      return;
    }
    const drop = () => {
      const at = spares.indexOf(child);
      if (at >= 0) spares.splice(at, 1);
    };
    child.on("error", drop);
    child.stdio[3].on("error", drop);
    child.once("exit", drop);
    spares.push(child);
  }
}

function takeSpare() {
  refill ??= setTimeout(addSpares, REFILL_MS);
  return spares.shift();
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isDirectory(path) {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function quote(text) {
  return "'" + text.replaceAll("'", "'\\\\''") + "'";
}

/** The line that makes a waiting shell the program; undefined where only a spawn does the same. */
function lineOf(file, args, cwd, env) {
  const names = Object.keys(env);
  if (!names.every((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name))) return undefined;
  if ([file, ...args, ...Object.values(env)].some((text) => text.includes("\\0"))) return undefined;
  const directory = cwd ?? process.cwd();
  if (!isDirectory(directory)) return undefined;
  const paths = file.includes("/")
    ? [resolve(directory, file)]
    : (env.PATH ?? "").split(":").filter((part) => part.startsWith("/")).map((part) => part + "/" + file);
  const path = paths.find(isProgram);
  if (path === undefined) return undefined;
  const variables = names.map((name) => "export " + name + "=" + quote(env[name]) + "; ").join("");
  // Last, as a shell sets these itself.
  const unset = "unset " + ["PWD", "OLDPWD", "SHLVL", "_"].filter((name) => !names.includes(name)).join(" ") + "; ";
  return "cd " + quote(directory) + " || exit 126; " + variables + unset +
    "exec " + [path, ...args].map(quote).join(" ") + " 3<&-";
}

function startProcess(file, args, cwd, env) {
  const spare = spares.length > 0 ? lineOf(file, args, cwd, env) : undefined;
  const child = spare === undefined ? undefined : takeSpare();
  if (child === undefined) return spawn(file, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  child.stdio[3].end(spare);
  return child;
}

function signalGroup(pid, name) {
  try { process.kill(-pid, name); } catch {}
}

function tell(message, done) {
  if (process.connected) process.send(message, done);
}

function run(id, file, args, cwd, env) {
  let child;
  try {
    child = startProcess(file, args, cwd, env);
  } catch (error) {
    tell(["failed", id, error.code, error.message]);
    return;
  }
  child.on("error", (error) => {
    if (child.pid === undefined) tell(["failed", id, error.code, error.message]);
  });
  if (child.pid === undefined) return;
  children.set(id, child.pid);
  tell(["started", id, child.pid, Number(process.hrtime.bigint()) / 1e6]);
  for (const name of ["stdout", "stderr"]) {
    child[name].on("data", (bytes) => {
      child[name].pause();
      tell(["output", id, name, bytes], () => child[name].resume());
    });
  }
  child.once("exit", (code, signal) => {
    signalGroup(child.pid, "SIGKILL");
    children.delete(id);
    let isTold = false;
    const end = () => {
      if (isTold) return;
      isTold = true;
      clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
      tell(["exited", id, code, signal]);
    };
    const timer = setTimeout(end, OUTPUT_MS_MAX);
    child.once("close", end);
  });
}

process.on("message", ([what, id, ...rest]) => {
  if (what === "run") run(id, ...rest);
  else if (children.has(id)) signalGroup(children.get(id), rest[0]);
});
process.on("disconnect", () => {
  for (const pid of children.values()) signalGroup(pid, "SIGKILL");
  for (const { pid } of spares) signalGroup(pid, "SIGKILL");
  process.exit(0);
});
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => {});
addSpares();
tell(["ready"]);
`;
