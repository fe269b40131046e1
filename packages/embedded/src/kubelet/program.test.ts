import { type Container, labels, type Pod, rouse, type Stored } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import type { PodSources } from "./pod-sources.ts";
import { fixedPort, type Program, planProgram, sideContainers, userContainer } from "./program.ts";

const container: Container = {
  name: "user-container",
  image: "docker.io/x",
  ports: [{ containerPort: 8080 }],
};

function pod(
  of: Partial<Container>,
  annotations: Record<string, string> = {},
  more: readonly Container[] = [],
): Stored<Pod> {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "p",
      namespace: "ns",
      uid: "u",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "",
      labels: { [labels.revision]: "r-1", [labels.service]: "s" },
      annotations,
    },
    spec: { containers: [{ ...container, ...of }, { name: "queue-proxy" }, ...more] },
  };
}

const sources: PodSources = {
  configMap: (name) => (name === "settings" ? { COLOUR: "red", "not a name": "x" } : undefined),
  secret: (name) => (name === "login" ? { token: Buffer.from("s3cret") } : undefined),
};

const plan = (of: Stored<Pod>, which: Container = userContainer(of) ?? container) =>
  planProgram(of, which, {
    isServing: which === userContainer(of),
    userPort: 4_711,
    podIp: "127.1.2.3",
    sources,
    volumes: new Map([["tls-keys", "/data/volumes/u/tls-keys"]]),
    inherited: new Map([
      ["PATH", "/bin"],
      ["HOME", "/root"],
    ]),
    markers: { ROUSE_INSTANCE: "home/1/2" },
  });

function program(of: Stored<Pod>): Program {
  const planned = plan(of);
  return planned.kind === "run" ? planned.program : expect.fail(planned.message);
}

function refusal(of: Stored<Pod>): string {
  const planned = plan(of);
  return planned.kind === "refuse" ? `${planned.reason}: ${planned.message}` : expect.fail("it would run");
}

describe("the command line", () => {
  test("command and args, expanded, PORT being the pod's own", () => {
    const env = [
      { name: "PORT", value: "8080" },
      { name: "WHO", value: "w" },
    ];
    const { file, args } = program(
      pod({ command: ["run-$(WHO)", "-p", "$(PORT)"], args: ["$(NONE)", "$$(WHO)"], env }),
    );
    expect([file, ...args]).toEqual(["run-w", "-p", "4711", "$(NONE)", "$(WHO)"]);
  });

  test("the annotation's shell line, with the container's args as $1 and on", () => {
    const { file, args } = program(pod({ args: ["a"] }, { [rouse.command]: "node x.js $1" }));
    expect([file, ...args]).toEqual(["/bin/sh", "-c", "node x.js $1", "sh", "a"]);
  });

  test("a command goes before the annotation", () => {
    expect(program(pod({ command: ["true"] }, { [rouse.command]: "false" })).file).toBe("true");
  });

  test("neither: images are not run", () => {
    expect(refusal(pod({ args: ["x"] }))).toBe(
      "CreateContainerError: images are not run here (docker.io/x): give container user-container a command, or the " +
        "template the annotation rouse.dev/command",
    );
  });

  test("a container beside the serving one has a program of its own, told where the serving one listens", () => {
    const of = pod({ command: ["true"] }, { [rouse.command]: "false" }, [
      { name: "helper", command: ["help"], env: [{ name: "PORT", value: "1" }] },
      { name: "image" },
    ]);
    const [helper = container, image = container] = sideContainers(of);
    const planned = plan(of, helper);
    expect(planned.kind === "run" && planned.program).toMatchObject({
      file: "help",
      environment: { ROUSE_USER_PORT: "4711", PORT: "1", K_REVISION: "r-1" },
    });
    expect(plan(of, image)).toMatchObject({ kind: "refuse", isFinal: true, reason: "CreateContainerError" });
  });
});

test.each([
  { own: undefined, manifest: undefined, want: undefined },
  { own: undefined, manifest: "/m", want: "/m" },
  { own: "/w", manifest: "/m", want: "/w" },
  { own: "sub", manifest: "/m", want: "/m/sub" },
  { own: "sub", manifest: undefined, want: "sub" },
])("workingDir $own of a manifest in $manifest: $want", ({ own, manifest, want }) => {
  const annotations: Record<string, string> = manifest === undefined ? {} : { [rouse.directory]: manifest };
  const of = pod({ command: ["true"], ...(own === undefined ? {} : { workingDir: own }) }, annotations);
  expect(program(of).directory).toBe(want);
});

describe("the environment", () => {
  test("inherited, then the container's in order, then the contract's, then the mark", () => {
    const env = [
      { name: "HOME", value: "/srv" },
      { name: "A", value: "$(B)" },
      { name: "B", value: "b$(HOME)" },
      { name: "K_SERVICE", value: "given" },
      { name: "ROUSE_INSTANCE", value: "forged" },
    ];
    expect(program(pod({ command: ["true"], env })).environment).toEqual({
      PATH: "/bin",
      HOME: "/srv",
      A: "$(B)",
      B: "b/srv",
      PORT: "4711",
      ROUSE_VOLUME_TLS_KEYS: "/data/volumes/u/tls-keys",
      K_REVISION: "r-1",
      K_CONFIGURATION: "",
      K_SERVICE: "given",
      ROUSE_INSTANCE: "home/1/2",
    });
  });

  test.each([
    { path: "metadata.name", want: "p" },
    { path: "metadata.namespace", want: "ns" },
    { path: "metadata.uid", want: "u" },
    { path: "status.podIP", want: "127.1.2.3" },
    { path: `metadata.labels['${labels.service}']`, want: "s" },
    { path: "metadata.labels['none']", want: "" },
  ])("field $path of the pod", ({ path, want }) => {
    const env = [{ name: "F", valueFrom: { fieldRef: { fieldPath: path } } }];
    expect(program(pod({ command: ["true"], env })).environment.F).toBe(want);
  });

  test("keys of ConfigMaps and Secrets, one by one and all at once; later wins, optional may be absent", () => {
    const env = [
      { name: "TOKEN", valueFrom: { secretKeyRef: { name: "login", key: "token" } } },
      { name: "LINE", value: "$(COLOUR) $(TOKEN)" },
      { name: "ABSENT", valueFrom: { configMapKeyRef: { name: "none", key: "k", optional: true } } },
    ];
    const envFrom = [
      { configMapRef: { name: "settings" } },
      { prefix: "MY_", secretRef: { name: "login" } },
      { configMapRef: { name: "none", optional: true } },
    ];
    const { environment } = program(pod({ command: ["true"], env, envFrom }));
    expect(environment).toMatchObject({
      COLOUR: "red",
      MY_token: "s3cret",
      TOKEN: "s3cret",
      LINE: "red s3cret",
    });
    expect(Object.keys(environment)).not.toContain("ABSENT");
    expect(Object.keys(environment)).not.toContain("not a name");
  });

  test.each([
    {
      of: { env: [{ name: "F", valueFrom: { secretKeyRef: { name: "login", key: "none" } } }] },
      want: 'variable F: couldn\'t find key none in secret "login"',
    },
    {
      of: { env: [{ name: "F", valueFrom: { configMapKeyRef: { name: "none", key: "k" } } }] },
      want: 'variable F: configmap "none" not found',
    },
    { of: { envFrom: [{ secretRef: { name: "none" } }] }, want: 'secret "none" not found' },
  ])("what is missing may still come: $want", ({ of, want }) => {
    expect(plan(pod({ command: ["true"], ...of }))).toEqual({
      kind: "refuse",
      isFinal: false,
      reason: "CreateContainerConfigError",
      message: want,
    });
  });

  test.each([
    { from: { resourceFieldRef: { resource: "limits.cpu" } } },
    { from: { fieldRef: { fieldPath: "spec.nodeName" } } },
    { from: {} },
  ])("a source that cannot be read here is refused: $from", ({ from }) => {
    expect(refusal(pod({ command: ["true"], env: [{ name: "F", valueFrom: from }] }))).toMatch(
      /^CreateContainerConfigError: variable F: /,
    );
  });
});

test.each([
  { annotations: {}, of: {}, want: undefined },
  { annotations: { [rouse.fixedPort]: "true" }, of: { ports: [{ containerPort: 5_000 }] }, want: 5_000 },
  { annotations: { [rouse.fixedPort]: "true" }, of: { ports: [] }, want: 8_080 },
  { annotations: { [rouse.fixedPort]: "yes" }, of: {}, want: undefined },
])("fixed port of $annotations: $want", ({ annotations, of, want }) => {
  expect(fixedPort(pod(of, annotations as Record<string, string>))).toBe(want);
});
