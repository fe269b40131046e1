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
 * | | `["spare", pid]` with a socket: a shell waits for a line there |
 * | `["use", id, pid]`: the spare has been given its line | |
 * | `["drop", pid]`: the spare is of no use | |
 * | `["run", id, file, args, directory, environment]` | `["started", id, pid, when]` or `["failed", id, code, message]` |
 * | `["signal", id, name]` | `["output", id, stream, bytes]`, each acknowledged before more is read |
 * | | `["exited", id, exitCode, signal name or null]`, after the last output |
 *
 * When the platform is gone, however it went, the helper's input ends and it kills every group it has started. The
 * channel would say so too, but not while a socket is on its way: Node waits for that to be taken, then for ever.
 *
 * Starting a process takes 1.5 ms and more, most of it `fork`. So a few are forked ahead: shells that lead a group of
 * their own and wait for a line that says which program to become. The platform writes that line itself, so that a
 * request that waits for a program does not wait for this process, too.
 */
export const SPAWN_HELPER_PROGRAM = `
const { spawn } = require("node:child_process");
const OUTPUT_MS_MAX = ${OUTPUT_MS_MAX};
const SPARES = ${SPARES};
const REFILL_MS = ${REFILL_MS};
const pids = new Map();
const spares = new Map();
let refill;

function addSpares() {
  refill = undefined;
  while (spares.size < SPARES && process.connected) {
    // The inner cat waits for the line, so that reading it takes one call and no fork.
    const child = spawn("/bin/sh", ["-c", 'eval "$(cat <&3)"'], {
      env: {}, detached: true, stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    child.on("error", () => {});
    if (child.pid === undefined) return;
    spares.set(child.pid, follow(child));
    const line = child.stdio[3];
    line.on("error", () => {});
    process.send(["spare", child.pid], line, () => line.destroy());
  }
}

function takeSpare(pid) {
  const job = spares.get(pid);
  spares.delete(pid);
  refill ??= setTimeout(addSpares, REFILL_MS);
  return job;
}

function signalGroup(pid, name) {
  try { process.kill(-pid, name); } catch {}
}

function tell(message, done) {
  if (process.connected) process.send(message, done);
}

/** Tells of a process once it is somebody's; what a spare says and does before is kept until then. */
function follow(child) {
  const job = { pid: child.pid, id: undefined, early: [] };
  const say = (what, rest, done) => {
    if (job.id === undefined) job.early.push([what, rest, done]);
    else tell([what, job.id, ...rest], done);
  };
  for (const name of ["stdout", "stderr"]) {
    child[name].on("data", (bytes) => {
      child[name].pause();
      say("output", [name, bytes], () => child[name].resume());
    });
  }
  child.once("exit", (code, signal) => {
    signalGroup(child.pid, "SIGKILL");
    pids.delete(job.id);
    job.pid = undefined;
    let isTold = false;
    const end = () => {
      if (isTold) return;
      isTold = true;
      clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
      say("exited", [code, signal]);
    };
    const timer = setTimeout(end, OUTPUT_MS_MAX);
    child.once("close", end);
  });
  return job;
}

function assign(job, id) {
  job.id = id;
  if (job.pid !== undefined) pids.set(id, job.pid);
  for (const [what, rest, done] of job.early) tell([what, id, ...rest], done);
  job.early = [];
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
  tell(["started", id, child.pid, Number(process.hrtime.bigint()) / 1e6]);
  assign(follow(child), id);
}

function use(id, pid) {
  const job = takeSpare(pid);
  if (job === undefined) tell(["exited", id, 127, null]);
  else assign(job, id);
}

function drop(pid) {
  if (takeSpare(pid)?.pid === pid) signalGroup(pid, "SIGKILL");
}

const verbs = {
  run, use, drop,
  signal: (id, name) => { if (pids.has(id)) signalGroup(pids.get(id), name); },
};
process.on("message", ([verb, ...rest]) => verbs[verb](...rest));
process.stdin.resume().on("error", () => {}).on("close", () => {
  for (const pid of pids.values()) signalGroup(pid, "SIGKILL");
  for (const { pid } of spares.values()) if (pid !== undefined) signalGroup(pid, "SIGKILL");
  process.exit(0);
});
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => {});
addSpares();
tell(["ready"]);
`;
