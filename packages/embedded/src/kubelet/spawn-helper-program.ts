import { OUTPUT_MS_MAX } from "./process-runner.ts";

/**
 * The program of the helper process that starts the pods' processes, as text for `node -e`: it has to run by itself
 * wherever this code has been bundled to. It speaks with `SpawnHelper` by IPC:
 *
 * | to it | from it |
 * | --- | --- |
 * | | `["ready"]`, once |
 * | `["run", id, file, args, directory, environment]` | `["started", id, pid]` or `["failed", id, code, message]` |
 * | `["signal", id, name]` | `["output", id, stream, bytes]`, each acknowledged before more is read |
 * | | `["exited", id, exitCode, signal name or null]`, after the last output |
 *
 * When the platform is gone, however it went, the channel closes and the helper kills every group it has started.
 */
export const SPAWN_HELPER_PROGRAM = `
const { spawn } = require("node:child_process");
const OUTPUT_MS_MAX = ${OUTPUT_MS_MAX};
const children = new Map();

function signalGroup(pid, name) {
  try { process.kill(-pid, name); } catch {}
}

function tell(message, done) {
  if (process.connected) process.send(message, done);
}

function run(id, file, args, cwd, env) {
  let child;
  try {
    child = spawn(file, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    tell(["failed", id, error.code, error.message]);
    return;
  }
  child.on("error", (error) => {
    if (child.pid === undefined) tell(["failed", id, error.code, error.message]);
  });
  if (child.pid === undefined) return;
  children.set(id, child.pid);
  tell(["started", id, child.pid]);
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
  process.exit(0);
});
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => {});
tell(["ready"]);
`;
