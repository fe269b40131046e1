import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startHome } from "@rouse/embedded";
import { RealClock, RealRandom, silentLogger } from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { run } from "../src/run.ts";

const samples = resolve(import.meta.dirname, "../../../samples");
const LISTENING = /^rouse \S+ on http:\/\/127\.0\.0\.1:(\d+)$/;

/** A whole platform with real processes, on a free port and in a folder of its own. */
async function up(...manifests: readonly string[]) {
  const cwd = mkdtempSync(join(tmpdir(), "rouse-up-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const said: string[] = [];
  const listening = Promise.withResolvers<number>();
  const stop = new AbortController();
  const args = ["up", ...manifests, "--port", "0"];
  const ended = run(args, {
    clock: new RealClock(),
    random: new RealRandom(),
    log: silentLogger,
    output: {
      out: (line) => {
        said.push(line);
        const port = LISTENING.exec(line)?.[1];
        if (port !== undefined) listening.resolve(Number(port));
      },
      err: (line) => listening.reject(new Error(line)),
    },
    colors: { dim: (text) => text, cyan: (text) => text },
    startHome,
    stop: () => stop.signal,
    cwd,
    version: "0.0.0",
  });
  const end = (): Promise<number> => {
    stop.abort();
    return ended;
  };
  onTestFinished(async () => void (await end()));
  const port = await listening.promise;
  return { said, end, get: (service: string) => answer(port, service) };
}

/** One answer. A service just applied is asked again until its route is there. */
async function answer(port: number, service: string): Promise<{ status: number; body: string }> {
  for (;;) {
    const got = await askOnce(port, service);
    if (got.status !== 404) return got;
  }
}

function askOnce(port: number, service: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { Host: `${service}.default.localhost` };
    const sent = request({ host: "127.0.0.1", port, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.once("error", reject);
    sent.end();
  });
}

/** The sample under a name nobody else on this machine uses, so that its processes can be told from others. */
function helloOfItsOwn(): { readonly folder: string; readonly name: string } {
  const folder = mkdtempSync(join(tmpdir(), "rouse-hello-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const name = `hello-${process.pid}`;
  const manifest = readFileSync(join(samples, "hello/service.yaml"), "utf8");
  writeFileSync(join(folder, "service.yaml"), manifest.replace("name: hello", `name: ${name}`));
  copyFileSync(join(samples, "hello/server.mjs"), join(folder, "server.mjs"));
  return { folder, name };
}

function processesOf(service: string): readonly string[] {
  return readdirSync("/proc").filter((entry) => {
    try {
      return `\0${readFileSync(`/proc/${entry}/environ`, "latin1")}`.includes(`\0K_SERVICE=${service}\0`);
    } catch {
      return false; // no process, or gone, or somebody else's
    }
  });
}

test("a service answers from zero, twenty at once at one place each, and nothing is left at the end", async () => {
  const hello = helloOfItsOwn();
  const { get, end, said } = await up(hello.folder);
  expect(processesOf(hello.name)).toEqual([]);
  expect(await get(hello.name)).toEqual({ status: 200, body: `Hello from ${hello.name}-00001, GET /\n` });
  const answers = await Promise.all(Array.from({ length: 20 }, () => get(hello.name)));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(processesOf(hello.name)).not.toEqual([]);
  expect(await end()).toBe(0);
  expect(processesOf(hello.name)).toEqual([]);
  const lines = said.join("\n");
  expect(lines).toMatch(new RegExp(`${hello.name}-00001 {2}\\d+ starting · proxy`));
  expect(lines).toMatch(new RegExp(`^${hello.name}-00001-deployment-\\w+ \\| listening$`, "m"));
});

test("whoever waits for a program that cannot be started, or ends at once, is told why", async () => {
  const { get } = await up(join(samples, "trouble/no-command.yaml"), join(samples, "trouble/exits.yaml"));
  expect(await get("no-command")).toEqual({
    status: 503,
    body: expect.stringContaining("command not found: there-is-no-such-program"),
  });
  expect(await get("exits")).toEqual({
    status: 503,
    body: expect.stringMatching(/exit code 3: no database/),
  });
});
