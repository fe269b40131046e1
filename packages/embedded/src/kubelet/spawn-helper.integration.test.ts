import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { Socket } from "node:net";
import { RealClock, silentLogger } from "@rouse/shared";
import { describe, expect, onTestFinished, test } from "vitest";
import { ChildProcessRunner, type ProcessRunner, type RunningProcess } from "./process-runner.ts";
import { readProcess } from "./process-table.ts";
import type { Program } from "./program.ts";
import { SpawnHelper } from "./spawn-helper.ts";
import { SPAWN_HELPER_PROGRAM } from "./spawn-helper-program.ts";

const environment = { PATH: "/usr/bin:/bin" };
const isGone = (pid: number): boolean => readProcess(pid)?.isZombie ?? true;

function script(text: string, more: Partial<Program> = {}): Program {
  return { file: process.execPath, args: ["-e", text], directory: undefined, environment, ...more };
}

/** Runs a program to its end and tells what the observer was told, in order; output of a stream in one piece. */
function whole(runner: ProcessRunner, program: Program, act?: (process: RunningProcess) => void) {
  const told: string[] = [];
  const output = { stdout: "", stderr: "" };
  const pids: number[] = [];
  return new Promise<{ told: readonly string[]; output: typeof output; pid: number }>((resolve) => {
    const end = (last: string): void => {
      told.push(last);
      resolve({ told, output, pid: pids[0] ?? 0 });
    };
    const process = runner.run(program, {
      started: (pid) => {
        pids.push(pid);
        told.push("started");
      },
      output: (stream, chunk) => {
        output[stream] += chunk.toString();
        if (output[stream] === "ready\n") act?.(process);
      },
      failed: ({ reason, message }) => end(`failed ${reason}: ${message}`),
      exited: ({ exitCode, signal }) => end(`exited ${exitCode} ${signal ?? "-"}`),
    });
  });
}

const runners = {
  "a helper": () => SpawnHelper.start({ clock: new RealClock(), log: silentLogger }, { environment }),
  "this process": () => {
    const runner = new ChildProcessRunner(new RealClock());
    return Promise.resolve(Object.assign(runner, { [Symbol.asyncDispose]: () => Promise.resolve() }));
  },
};

describe.each(Object.entries(runners))("processes started by %s", (_name, start) => {
  test("tell of their start, all their output and their end", async () => {
    await using runner = await start();
    const big = "x".repeat(300_000);
    const { told, output } = await whole(
      runner,
      script(
        `process.stderr.write("e"); process.stdout.write("${"x"}".repeat(300000)); process.exitCode = 7`,
      ),
    );
    expect(told).toEqual(["started", "exited 7 -"]);
    expect(output.stderr).toBe("e");
    expect(output.stdout === big).toBe(true);
  });

  test("get their own environment and directory, and lead a group of their own", async () => {
    await using runner = await start();
    const { output, pid } = await whole(
      runner,
      script(
        `console.log(process.pid, process.cwd(), process.env.A, Object.keys(process.env).length);
        console.log(require("fs").readFileSync("/proc/self/stat", "latin1").split(") ")[1].split(" ")[2])`,
        {
          directory: "/usr",
          environment: { ...environment, A: "1" },
        },
      ),
    );
    expect(output.stdout).toBe(`${pid} /usr 1 2\n${pid}\n`);
  });

  test.each(["NAME", "not.a-shell-name"])(
    "get arguments and variables to the letter, also those a shell would read otherwise: %s",
    async (name) => {
      await using runner = await start();
      const odd = `it's "$HOME" \\ \`id\` $(id)\n; exit 9 # ü `;
      const program = script(
        `process.stdout.write(JSON.stringify([process.argv[1], process.env["${name}"]]))`,
        {
          environment: { ...environment, [name]: odd },
        },
      );
      const { output, told } = await whole(runner, { ...program, args: [...program.args, odd] });
      expect(told).toEqual(["started", "exited 0 -"]);
      expect(JSON.parse(output.stdout)).toEqual([odd, odd]);
    },
  );

  test("start as asked when many are asked for at once", async () => {
    await using runner = await start();
    const all = Array.from({ length: 12 }, (_, index) => whole(runner, script(`console.log(${index})`)));
    const outputs = (await Promise.all(all)).map(({ output }) => output.stdout);
    expect(outputs).toEqual(outputs.map((_, index) => `${index}\n`));
  });

  test.each([
    {
      what: "not found",
      program: { file: "no-such-program" },
      want: "RunContainerError: command not found: no-such-program",
    },
    {
      what: "no program",
      program: { file: "/etc/passwd" },
      want: "RunContainerError: command may not be executed: /etc/passwd",
    },
    {
      what: "no directory",
      program: { file: "true", directory: "/no/such" },
      want: "CreateContainerError: cannot run true: its directory /no/such does not exist",
    },
  ])("$what: failed, with the command named", async ({ program, want }) => {
    await using runner = await start();
    expect((await whole(runner, script("", program))).told).toEqual([`failed ${want}`]);
  });

  test("are signalled as a group", async () => {
    await using runner = await start();
    const text = `const c = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1e3)"]);
      console.error(c.pid); console.log("ready"); setInterval(() => {}, 1e3)`;
    const { told, output } = await whole(runner, script(text), (running) => running.signal("SIGTERM"));
    expect(told).toEqual(["started", "exited 143 15"]);
    while (!isGone(Number(output.stderr))) await stat("/proc/self");
  });

  test("signalled before they run, they end all the same", async () => {
    await using runner = await start();
    const ended = new Promise<string>((resolve) => {
      const running = runner.run(script("setInterval(() => {}, 1e3)"), {
        started: () => {},
        output: () => {},
        failed: () => resolve("failed"),
        exited: ({ signal }) => resolve(`signal ${signal}`),
      });
      running.signal("SIGKILL");
    });
    expect(await ended).toBe("signal 9");
  });
});

test("a helper that is lost ends its processes; what is asked for later runs without it", async () => {
  await using runner = await SpawnHelper.start(
    { clock: new RealClock(), log: silentLogger },
    { environment },
  );
  const { told, pid } = await whole(runner, script(`console.log("ready"); setInterval(() => {}, 1e3)`), () =>
    process.kill(runner.pid ?? expect.fail("no helper"), "SIGKILL"),
  );
  expect(told).toEqual(["started", "exited 137 9"]);
  while (!isGone(pid)) await stat("/proc/self");
  expect((await whole(runner, script(`console.log("still here")`))).output.stdout).toBe("still here\n");
});

test("what a spare says and how it ends is kept until the helper hears whose it is", async () => {
  const helper = spawn(process.execPath, ["-e", SPAWN_HELPER_PROGRAM], {
    stdio: ["pipe", "ignore", "ignore", "ipc"],
    serialization: "advanced",
  });
  onTestFinished(() => void helper.stdin?.destroy());
  const told: unknown[][] = [];
  const spare = Promise.withResolvers<{ readonly pid: number; readonly socket: Socket }>();
  const ended = new Promise<void>((resolve) => {
    helper.on("message", (message, handle) => {
      if (!Array.isArray(message)) return;
      if (handle instanceof Socket) spare.resolve({ pid: Number(message[1]), socket: handle });
      if (message[1] === 77)
        told.push(message.map((part) => (part instanceof Uint8Array ? `${part}` : part)));
      if (message[0] === "exited") resolve();
    });
  });
  const { pid, socket } = await spare.promise;
  socket.end("echo one; exit 3");
  while (readProcess(pid) !== undefined) await stat("/proc/self"); // the helper has seen its end

  helper.send(["use", 77, pid]);

  await ended;
  expect(told).toEqual([
    ["output", 77, "stdout", `${Buffer.from("one\n")}`],
    ["exited", 77, 3, null],
  ]);
});

const children = (of: number): readonly number[] =>
  (readFileSync(`/proc/${of}/task/${of}/children`, "utf8").match(/\d+/g) ?? []).map(Number);

test("a platform that is killed before it has taken a spare leaves none, and no helper", async () => {
  const script = `
    import { RealClock, silentLogger } from ${JSON.stringify(import.meta.resolve("@rouse/shared"))};
    import { SpawnHelper } from ${JSON.stringify(import.meta.resolve("./spawn-helper.ts"))};
    void SpawnHelper.start({ clock: new RealClock(), log: silentLogger }, { environment: {} });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // it hears nothing`;
  const platform = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
  const pid = platform.pid ?? expect.fail("no platform");
  onTestFinished(() => void platform.kill("SIGKILL"));
  while (children(pid).length === 0) await stat("/proc/self");
  const helper = children(pid)[0] ?? expect.fail("no helper");
  onTestFinished(() => void (isGone(helper) || process.kill(helper, "SIGKILL")));
  while (children(helper).length < 4) await stat("/proc/self");
  const spares = children(helper);

  platform.kill("SIGKILL");

  while (![helper, ...spares].every(isGone)) await stat("/proc/self");
});

test("spares that are lost are replaced", async () => {
  await using runner = await SpawnHelper.start(
    { clock: new RealClock(), log: silentLogger },
    { environment },
  );
  const helper = runner.pid ?? expect.fail("no helper");
  const first = children(helper);
  for (const pid of first) process.kill(-pid, "SIGKILL");
  while (!first.every(isGone) || children(helper).filter((pid) => !first.includes(pid)).length < 4) {
    await stat("/proc/self");
  }
  const { told, output } = await whole(runner, script(`console.log("here")`));
  expect(told).toEqual(["started", "exited 0 -"]);
  expect(output.stdout).toBe("here\n");
});

test("a helper that is closed leaves nothing", async () => {
  const runner = await SpawnHelper.start({ clock: new RealClock(), log: silentLogger }, { environment });
  const helper = runner.pid ?? expect.fail("no helper");
  const ended = whole(runner, script(`console.log("ready"); setInterval(() => {}, 1e3)`), () => {
    void runner[Symbol.asyncDispose]();
  });
  const { pid } = await ended;
  while (!isGone(pid) || !isGone(helper)) await stat("/proc/self");
});
