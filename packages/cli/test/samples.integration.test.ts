import { execFile, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:https";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { loadManifests } from "@rouse/embedded";
import { PodKind } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { samples, up } from "./support/sample.ts";

const execute = promisify(execFile);
const hasPython = spawnSync("python3", ["--version"]).status === 0;

/** What a client of a sample says; it is run again until the service's route is there. */
async function client(file: string, args: readonly string[], want: RegExp): Promise<string> {
  for (;;) {
    const { stdout } = await execute(process.execPath, [file, ...args]);
    if (want.test(stdout)) return stdout.trim();
  }
}

test("every manifest among the samples is sound", async () => {
  const folders = readdirSync(samples, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => entry.parentPath);
  const { objects, errors } = await loadManifests(
    [...new Set(folders)].map((path) => resolve(path)),
    {
      cwd: samples,
    },
  ).then(({ objects: found, errors: wrong }) => ({
    objects: found,
    // The second revision of a service describes it a second time, and is meant to.
    errors: wrong.filter(({ message }) => !message.includes("described twice")),
  }));
  expect(errors).toEqual([]);
  expect(objects.map(({ object }) => object.metadata.name)).toEqual(
    expect.arrayContaining([
      "ada",
      "cron",
      "grpc",
      "hello",
      "python",
      "reconciler",
      "source",
      "split",
      "websocket",
    ]),
  );
});

describe("a sample works from zero", () => {
  test("hello", async () => {
    const { ask } = await up("hello");
    expect(await ask("hello")).toBe("Hello from hello-00001, GET /\n");
  });

  test("grpc", async () => {
    const { gateway, folder } = await up("grpc");
    const said = await client(join(folder, "client.mjs"), ["Ada", gateway], /status 0/);
    expect(said).toBe("grpc-status 0: Hello Ada, from grpc-00001");
  });

  test.skipIf(!hasPython)("python, and over TLS for who trusts the home's own authority", async () => {
    const { home, cwd } = await up("python");
    const ca = readFileSync(join(cwd, ".rouse/gateway-ca.crt"), "utf8");
    const host = "python.default.localhost";
    const ask = (): Promise<string> =>
      new Promise((resolve) => {
        const to = { host: "127.0.0.1", port: home.gateway.tlsPort, servername: host, ca, agent: false };
        const sent = request({ ...to, headers: { Host: host } }, (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (part: string) => {
            body += part;
          });
          response.on("end", () => resolve(`${response.statusCode} ${body}`));
        });
        sent.on("error", ({ message }) => resolve(message));
        sent.end();
      });
    let answer = await ask();
    while (!answer.startsWith("200")) answer = await ask(); // until its route is there
    expect(answer).toBe("200 Hello from Python, python-00001\n");
  });

  test("websocket", async () => {
    const { gateway, folder } = await up("websocket");
    const said = await client(join(folder, "client.mjs"), ["hi there", gateway], /you said/);
    expect(said).toBe("you said: hi there");
  });

  test("split: one request in ten goes to the second revision, as a canary", async () => {
    const { ask, apply } = await up("split");
    expect(await ask("split")).toContain("first");
    await apply("split/second");
    const said: string[] = [];
    while (!said.some((text) => text.includes("second"))) said.push(await ask("split"));
    for (let turn = 0; turn < 300; turn++) said.push(await ask("split"));
    const second = said.slice(-300).filter((text) => text.includes("second")).length;
    expect(second).toBeGreaterThan(5); // 30 ± 5 of 300: five sigma
    expect(second).toBeLessThan(60);
  });

  test("cron: the schedule's pods stand without a request", async () => {
    // Always in its hours, so that the day of the week this runs on does not matter.
    const { home, ask } = await up("cron", (text) =>
      text.replace(/rouse\.dev\/schedule: .*/, 'rouse.dev/schedule: "* * * * * for 1h min=2"'),
    );
    const ready = async (): Promise<number> => {
      const { items } = await home.client.list(PodKind, { namespace: "default" });
      return items.filter(({ status }) =>
        status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
      ).length;
    };
    while ((await ready()) < 2) await new Promise((done) => setImmediate(done));
    expect(await ask("cron")).toContain("Hello from cron-00001");
  });
});
