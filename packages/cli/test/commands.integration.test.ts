import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiHandler, type HomeDeps } from "@rouse/embedded";
import {
  EventKind,
  InProcessKubeClient,
  KnativeServiceKind,
  ObjectStore,
  objectKey,
  PodKind,
  SeededRandom,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ProgramDeps } from "../src/program.ts";
import { run } from "../src/run.ts";
import type { RunningHome, StartHome } from "../src/up/up.ts";

const SERVICE = `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
spec:
  template:
    spec:
      containers:
        - command: [node, server.mjs]
`;

/** A folder to stand in, and the command line in it. The home is a store alone: no controllers, no pods. */
function setUp() {
  const cwd = realpathSync(mkdtempSync(join(tmpdir(), "rouse-cli-")));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  const clock = new VirtualClock();
  const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) });
  const client = new InProcessKubeClient({ store, clock });
  const podOutput = {
    lines: () => undefined,
    previous: () => undefined,
    follow: () => ({ [Symbol.dispose]: () => {} }),
  };
  const api = new ApiHandler({ store, clock, random: new SeededRandom(2), log: silentLogger, podOutput });
  const said: string[] = [];
  const complained: string[] = [];
  const closed: true[] = [];
  const homes: HomeDeps[] = [];
  const whenUp = Promise.withResolvers<void>();
  const stop = new AbortController();
  const startHome: StartHome = async (deps): Promise<RunningHome> => {
    homes.push(deps);
    return {
      client,
      api: {
        handle: (request) => api.handle(request),
        port: 6443,
        kubeconfig: join(cwd, ".rouse/kubeconfig"),
      },
      gateway: { ip: "127.0.0.1", port: 8080 },
      snapshot: () => undefined,
      timeline: () => undefined,
      explain: () => undefined,
      close: async () => void closed.push(true),
    };
  };
  const deps: ProgramDeps = {
    clock,
    random: new SeededRandom(1),
    log: silentLogger,
    output: {
      out: (line) => {
        said.push(...line.split("\n"));
        if (line.startsWith("Ctrl-C")) whenUp.resolve();
      },
      err: (line) => void complained.push(...line.split("\n")),
    },
    colors: { dim: (text) => text, cyan: (text) => text },
    startHome,
    stop: () => stop.signal,
    cwd,
    version: "1.2.3",
  };
  const write = (name: string, text: string): void => writeFileSync(join(cwd, name), text);
  const rouse = (...args: string[]): Promise<number> => run(args, deps);
  const up = async (...args: string[]): Promise<{ end(): Promise<number> }> => {
    const code = rouse("up", ...args);
    await Promise.race([whenUp.promise, code]);
    return {
      end: () => {
        stop.abort();
        return code;
      },
    };
  };
  return { cwd, deps, client, clock, said, complained, closed, homes, write, rouse, up };
}

describe("a platform that is running", () => {
  test("apply creates, then says unchanged, then configured; get and delete follow", async () => {
    const { rouse, up, write, said } = setUp();
    const platform = await up();
    write("service.yaml", SERVICE);
    said.length = 0;
    const applied = async (): Promise<string | undefined> => {
      expect(await rouse("apply", "-f", "service.yaml")).toBe(0);
      return said.at(-1);
    };
    expect(await applied()).toBe("service.serving.knative.dev/hello created");
    expect(await applied()).toBe("service.serving.knative.dev/hello unchanged");
    write("service.yaml", SERVICE.replace("    spec:", "    spec:\n      containerConcurrency: 7"));
    expect(await applied()).toBe("service.serving.knative.dev/hello configured");

    said.length = 0;
    expect(await rouse("get")).toBe(0);
    expect(said.join("\n")).toMatch(/^NAME .*\nhello /);
    said.length = 0;
    expect(await rouse("get", "ksvc", "hello", "-o", "json")).toBe(0);
    expect(JSON.parse(said.join("\n"))).toMatchObject({
      spec: { template: { spec: { containerConcurrency: 7 } } },
    });

    write("service.yaml", SERVICE);
    await applied();
    said.length = 0;
    await rouse("get", "service", "hello", "-o", "yaml");
    expect(said.join("\n")).not.toContain("containerConcurrency");

    expect(await rouse("delete", "-f", "service.yaml")).toBe(0);
    expect(said.at(-1)).toBe("service.serving.knative.dev/hello deleted");
    expect(await platform.end()).toBe(0);
  });

  test("get of what is not there fails with the platform's own words", async () => {
    const { rouse, up, complained } = setUp();
    const platform = await up();
    expect(await rouse("get", "service", "none")).toBe(1);
    expect(complained).toEqual(['rouse: services.serving.knative.dev "none" not found']);
    expect(await rouse("delete", "service", "none")).toBe(1);
    expect(await rouse("delete", "service", "none", "--ignore-not-found")).toBe(0);
    await platform.end();
  });

  test("get of many: by label, in every namespace, by name alone", async () => {
    const { rouse, up, said, client } = setUp();
    const platform = await up();
    for (const name of ["a", "b"]) {
      await client.create(PodKind, {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: "default", labels: { team: name } },
        spec: { containers: [{ name: "user-container", image: "x" }] },
      });
    }
    said.length = 0;
    await rouse("get", "pods", "-l", "team!=a", "-o", "name");
    expect(said).toEqual(["pod/b"]);
    said.length = 0;
    await rouse("get", "pods", "-A");
    expect(said[0]).toMatch(/^NAMESPACE +NAME /);
    await platform.end();
  });

  test("up applies its manifests, prints how to call them, and answers where its state is", async () => {
    const { up, write, said, client, closed } = setUp();
    write("service.yaml", SERVICE);
    const platform = await up("service.yaml", "--data-dir", "state");
    expect(await platform.end()).toBe(0);
    const stored = await client.get(KnativeServiceKind, { namespace: "default", name: "hello" });
    expect(stored.spec.template.spec.containers[0]?.command).toEqual(["node", "server.mjs"]);
    expect(said).toContain("    curl http://hello.default.localhost:8080");
    expect(said.join("\n")).toContain("plain processes");
    expect(said).toContain("State is kept in state.");
    expect(closed).toEqual([true]);
  });

  test("what pods write is shown with their name", async () => {
    const { up, homes, said, client } = setUp();
    const platform = await up();
    const pod = await client.create(PodKind, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "hello-1", namespace: "default" },
      spec: { containers: [{ name: "user-container", image: "x" }] },
    });
    homes[0]?.onOutput?.(objectKey(pod.metadata), "stdout", "listening");
    expect(said).toContain("hello-1 | listening");
    await platform.end();
  });

  test("a second platform on the same state is refused, and the first goes on", async () => {
    const { rouse, up, complained, homes } = setUp();
    const platform = await up();
    expect(await rouse("up")).toBe(1);
    expect(complained.join("\n")).toContain("running with .rouse already");
    expect(homes).toHaveLength(1);
    expect(await rouse("get")).toBe(0);
    await platform.end();
  });
});

describe("what cannot be done", () => {
  test("no platform is running", async () => {
    const { rouse, complained } = setUp();
    expect(await rouse("get")).toBe(1);
    expect(complained.join("\n")).toContain("no platform is running here");
  });

  test("the port is in use", async () => {
    const { deps, complained } = setUp();
    const server = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const startHome: StartHome = (_deps, options) =>
      new Promise((_resolve, reject) => {
        createServer().once("error", reject).listen(options.port, options.listen);
      });
    expect(await run(["up", "--port", String(port)], { ...deps, startHome })).toBe(1);
    expect(complained).toEqual([
      `rouse: port ${port} is in use; choose another with --port, or --port 0 for a free one`,
    ]);
  });
});

describe("what makes no sense", () => {
  test.each([
    { args: ["up", "--port", "http"], says: "a port is 0 to 65535" },
    { args: ["up", "--port", "70000"], says: "a port is 0 to 65535" },
    { args: ["frobnicate"], says: "unknown command" },
    { args: ["get", "teapots"], says: 'no kind is called "teapots"' },
    { args: ["get", "service", "a", "-A"], says: "leave out --all-namespaces" },
    { args: ["get", "-o", "xml"], says: "Allowed choices are table, json, yaml, name" },
    { args: ["delete"], says: "say what to delete" },
    { args: ["delete", "service"], says: "say what to delete" },
    { args: ["apply"], says: "required option" },
    { args: ["validate", "-f", "none.yaml"], says: "none.yaml:1:1: no such file or directory" },
    { args: ["up", "none"], says: "no such file or directory" },
  ])("$args exits with 2 and says: $says", async ({ args, says }) => {
    const { rouse, complained, homes } = setUp();
    expect(await rouse(...args)).toBe(2);
    expect(complained.join("\n")).toContain(says);
    expect(homes).toEqual([]);
  });

  test("a wrong manifest names file, line, column, path and what was expected, and nothing starts", async () => {
    const { rouse, write, complained, homes } = setUp();
    write("service.yaml", SERVICE.replace("[node, server.mjs]", "5"));
    for (const args of [
      ["up", "service.yaml"],
      ["validate", "-f", "service.yaml"],
    ]) {
      complained.length = 0;
      expect(await rouse(...args)).toBe(2);
      expect(complained.join("\n")).toMatch(
        /service\.yaml:9:20: spec\.template\.spec\.containers\[0\]\.command: expected a list/,
      );
    }
    expect(homes).toEqual([]);
  });
});

test("Events come in the order in which they were last seen", async () => {
  const { client, rouse, up, said } = setUp();
  const platform = await up();
  for (const [name, second] of [
    ["a", 30],
    ["b", 10],
    ["c", 20],
    ["d", 10],
  ] as const) {
    await client.create(EventKind, {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace: "default" },
      involvedObject: { kind: "Pod", name },
      lastTimestamp: `2026-01-01T00:00:${second}Z`,
      message: `of ${name}`,
    });
  }
  said.length = 0;
  expect(await rouse("get", "events")).toBe(0);
  expect(said.slice(1).map((line) => line.slice(-1))).toEqual(["b", "d", "c", "a"]);
  await platform.end();
});

test("simulate draws a picture named after its trace unless told otherwise", async () => {
  const { cwd, rouse, write, said } = setUp();
  write("t.csv", "0\n1\n");
  expect(await rouse("simulate", "--trace", "t.csv", "--no-plot")).toBe(0);
  expect(readdirSync(cwd)).toEqual(["t.csv"]);
  expect(await rouse("simulate", "--trace", "t.csv")).toBe(0);
  expect(said.at(-1)).toBe("plot         t.svg");
  expect(await rouse("simulate", "--trace", "t.csv", "--plot", "mine.svg")).toBe(0);
  expect(readdirSync(cwd).sort()).toEqual(["mine.svg", "t.csv", "t.svg"]);
});

describe("help", () => {
  test.each(["up", "apply", "get", "delete", "validate", "explain", "simulate"])(
    "%s has help with examples",
    async (command) => {
      const { rouse, said } = setUp();
      expect(await rouse(command, "--help")).toBe(0);
      expect(said.join("\n")).toContain("Examples:");
      expect(said.join("\n")).toContain(`$ rouse ${command}`);
    },
  );

  test("the command itself names its exit codes and its version", async () => {
    const { rouse, said } = setUp();
    expect(await rouse("--help")).toBe(0);
    expect(said.join("\n")).toContain("Exit codes:");
    said.length = 0;
    expect(await rouse("--version")).toBe(0);
    expect(said).toEqual(["1.2.3"]);
  });
});

test("validate says what is well", async () => {
  const { rouse, write, said } = setUp();
  write("service.yaml", SERVICE);
  expect(await rouse("validate", "-f", "service.yaml")).toBe(0);
  expect(said).toEqual(["service.yaml:1: service.serving.knative.dev/hello is well"]);
});
