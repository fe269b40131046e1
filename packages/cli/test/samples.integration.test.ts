import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { type Home, type HomeDeps, type HomeOptions, loadManifests, startHome } from "@rouse/embedded";
import { ConfigMapKind, isKubeError, RealClock, RealRandom, silentLogger } from "@rouse/shared";
import { describe, expect, onTestFinished, test } from "vitest";
import { run } from "../src/run.ts";

const samples = resolve(import.meta.dirname, "../../../samples");
const LISTENING = /^rouse \S+ on http:\/\/127\.0\.0\.1:(\d+)$/;
const execute = promisify(execFile);

/** `rouse up` of one sample, copied to where its state goes as well. */
async function up(sample: string) {
  const cwd = mkdtempSync(join(tmpdir(), "rouse-sample-"));
  cpSync(samples, join(cwd, "samples"), { recursive: true });
  const port = Promise.withResolvers<string>();
  const stop = new AbortController();
  let home: Home | undefined;
  const ended = run(["up", `samples/${sample}`, "--port", "0", "--tls-port", "0"], {
    clock: new RealClock(),
    random: new RealRandom(),
    log: silentLogger,
    output: {
      out: (line) => {
        const found = LISTENING.exec(line)?.[1];
        if (found !== undefined) port.resolve(found);
      },
      err: (line) => port.reject(new Error(line)),
    },
    colors: { dim: (text) => text, cyan: (text) => text },
    startHome: async (deps: HomeDeps, options: HomeOptions) => {
      home = await startHome(deps, options);
      return home;
    },
    stop: () => stop.signal,
    cwd,
    version: "0.0.0",
  });
  onTestFinished(async () => {
    stop.abort();
    await ended;
    rmSync(cwd, { recursive: true, force: true });
  });
  const gateway = await port.promise;
  if (home === undefined) throw new Error("no home");
  return { home, gateway, cwd, folder: join(cwd, "samples", sample) };
}

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
  test("grpc", async () => {
    const { gateway, folder } = await up("grpc");
    const said = await client(join(folder, "client.mjs"), ["Ada", gateway], /status 0/);
    expect(said).toBe("grpc-status 0: Hello Ada, from grpc-00001");
  });

  test("python, and over TLS for who trusts the home's own authority", async () => {
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

  test("operator: what happens while it sleeps is done when it wakes", async () => {
    const { home } = await up("operator");
    const { client: api } = home;
    const count = 5;
    const configMap = (name: string) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: "default", labels: { sample: "greeting" } },
      data: { name },
    });
    for (let index = 0; index < count; index++) await api.create(ConfigMapKind, configMap(`g${index}`));
    const greeting = (name: string): Promise<string | undefined> =>
      api.get(ConfigMapKind, { namespace: "default", name: `${name}-greeting` }).then(
        ({ data }) => data?.greeting,
        (error: unknown) => {
          if (isKubeError(error, "NotFound")) return undefined;
          throw error;
        },
      );
    const until = async (is: () => Promise<boolean>): Promise<void> => {
      while (!(await is())) await new Promise(setImmediate);
    };
    await until(async () => {
      const all = await Promise.all(Array.from({ length: count }, (_, index) => greeting(`g${index}`)));
      return all.every((text, index) => text === `Hello g${index}`);
    });
    await api.delete(ConfigMapKind, { namespace: "default", name: "g0" });
    await until(async () => (await greeting("g0")) === undefined);
    expect(await greeting("g1")).toBe("Hello g1");
  });
});
