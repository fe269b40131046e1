import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { serveApi } from "@rouse/embedded/testing";
import { ConfigMapKind, probeValues, RealClock, RealRandom, SYSTEM_NAMESPACE } from "@rouse/shared";
import { describe, expect, onTestFinished, test } from "vitest";
import { build } from "../build/bundle.ts";
import { bundlePath } from "../build/bundle-path.ts";
import { isStale } from "../build/staleness.ts";
import { at, listAt, type Manifest } from "../deploy/manifest.ts";
import { manifestsOf } from "../deploy/render.ts";
import { ask, ContainedProcess, canContain } from "./contained-process.ts";
import { type ImageStage, imageStages } from "./dockerfile.ts";
import { places, writeImageTree } from "./image-tree.ts";

const root = resolve(import.meta.dirname, "../..");
const stages = imageStages(readFileSync(join(root, "deploy/images/Dockerfile"), "utf8"));
const clock = new RealClock();
const random = new RealRandom();
const TEST_MS = 60_000;
const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const KUBELET = { "User-Agent": "kube-probe/1.35" };

/** The files of an image, gone after the test. */
async function treeOf(program: string): Promise<{ readonly tree: string; readonly stage: ImageStage }> {
  if (isStale(root, join(root, bundlePath(program)))) await build(root, program);
  const tree = mkdtempSync(join(tmpdir(), "rouse-image-"));
  onTestFinished(() => rmSync(tree, { recursive: true, force: true }));
  chmodSync(tree, 0o755);
  writeImageTree(root, program, tree);
  const stage = stages.find(({ name }) => name === program);
  if (stage === undefined) throw new Error(`no stage ${program}`);
  return { tree, stage };
}

/** Runs it as the Dockerfile says, and as a pod would be run. */
async function run(program: string, environment: Readonly<Record<string, string>>, account?: string) {
  const { tree, stage } = await treeOf(program);
  if (account !== undefined) mkdirSync(join(tree, ACCOUNT), { recursive: true });
  const started = new ContainedProcess({
    tree,
    command: stage.entrypoint,
    environment: { ...stage.environment, ...environment },
    ...(account === undefined ? {} : { mounts: { sources: account, names: [ACCOUNT] } }),
  });
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
}

const shipped = (file: string): readonly Manifest[] =>
  manifestsOf(readFileSync(join(root, "deploy/kubernetes", file), "utf8"));

/** The container a program has in the manifests. */
function containerOf(program: string): unknown {
  const deployment = shipped(`${program}.yaml`).find(({ kind }) => kind === "Deployment");
  return at(deployment, "spec", "template", "spec", "containers", 0);
}

/** Its variables, with what a kubelet would put into them. */
function environmentOf(container: unknown, ip: string): Readonly<Record<string, string>> {
  const fields: Readonly<Record<string, string>> = {
    "metadata.name": "pod-1",
    "metadata.namespace": SYSTEM_NAMESPACE,
    "status.podIP": ip,
  };
  return Object.fromEntries(
    listAt(container, "env").map((variable) => [
      String(at(variable, "name")),
      String(
        at(variable, "value") ?? fields[String(at(variable, "valueFrom", "fieldRef", "fieldPath"))] ?? "",
      ),
    ]),
  );
}

/** Loopback addresses of their own let every program have the contract's ports. */
function ownIp(): string {
  return `127.${random.integer(2, 254)}.${random.integer(1, 254)}.${random.integer(1, 254)}`;
}

/** Asks until the answer is `status`, as a kubelet would, for at most 20 s. */
async function answers(
  started: ContainedProcess,
  at: { readonly ip: string; readonly port: number; readonly path?: string },
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly body: string }> {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await ask(at, headers);
    if (answer?.status === 200) return answer;
    await new Promise<void>((done) => clock.after(100, done));
  }
  throw new Error(`not ready: ${started.output}`);
}

/** Asks what a kubelet would; a knock at the port is answered by whoever answers requests there. */
async function passes(started: ContainedProcess, ip: string, probe: unknown): Promise<void> {
  const [kind = ""] = Object.keys(Object(probe)).filter((key) => /^(httpGet|tcpSocket)$/.test(key));
  const asked = { ip, port: Number(at(probe, kind, "port")), path: String(at(probe, kind, "path") ?? "/") };
  expect((await answers(started, asked, KUBELET)).status).toBe(200);
}

describe.skipIf(!canContain())("as another user, on a read-only root", () => {
  test(
    "the sidecar of an image answers its readiness probe (Q-164, Q-165)",
    async () => {
      const program = createServer((_, response) => response.end("hello"));
      await new Promise<void>((done) => program.listen(0, "127.0.0.1", done));
      onTestFinished(() => void program.close());
      const address: AddressInfo | string | null = program.address();
      const userPort = typeof address === "object" && address !== null ? address.port : 0;
      const ip = ownIp();
      const started = await run("queue-proxy", {
        CONTAINER_CONCURRENCY: "0",
        QUEUE_SERVING_PORT: "8012",
        QUEUE_SERVING_TLS_PORT: "8112",
        USER_PORT: String(userPort),
        REVISION_TIMEOUT_SECONDS: "300",
        SERVING_LOGGING_CONFIG: "",
        SERVING_LOGGING_LEVEL: "",
        SERVING_NAMESPACE: "default",
        SERVING_CONFIGURATION: "hello",
        SERVING_REVISION: "hello-00001",
        SERVING_POD: "pod-1",
        SERVING_POD_IP: ip,
        SERVING_READINESS_PROBE: `{"tcpSocket":{"port":${userPort},"host":"127.0.0.1"}}`,
        ROUSE_LISTEN_IP: ip,
      });
      const asked = { "K-Network-Probe": probeValues.queue, ...KUBELET };
      expect(await answers(started, { ip, port: 8012 }, asked)).toEqual({ status: 200, body: "queue" });
      expect((await ask({ ip, port: 8012 }, {}))?.body).toBe("hello");
    },
    TEST_MS,
  );

  test(
    "autoscaler, activator and controller, run as their Deployments say, answer their probes",
    async () => {
      const api = await serveApi();
      onTestFinished(() => api[Symbol.asyncDispose]());
      for (const map of shipped("config.yaml")) api.store.create(ConfigMapKind, map);
      const account = mkdtempSync(join(tmpdir(), "rouse-account-"));
      onTestFinished(() => rmSync(account, { recursive: true, force: true }));
      chmodSync(account, 0o755);
      const files = join(account, ACCOUNT);
      mkdirSync(files, { recursive: true });
      writeFileSync(join(files, "token"), api.token);
      writeFileSync(join(files, "ca.crt"), api.ca);
      const cluster = { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: String(api.port) };
      const pod = async (
        program: string,
        further: Readonly<Record<string, string>> = {},
      ): Promise<string> => {
        const ip = ownIp();
        const container = containerOf(program);
        const environment = {
          ...cluster,
          ...environmentOf(container, ip),
          ROUSE_LISTEN_IP: ip,
          METRICS_PROMETHEUS_HOST: ip,
          ...further,
        };
        const started = await run(program, environment, account);
        for (const probe of ["readinessProbe", "livenessProbe"])
          await passes(started, ip, at(container, probe));
        return ip;
      };
      const autoscaler = await pod("autoscaler");
      await pod("activator", { ROUSE_AUTOSCALER_URL: `ws://${autoscaler}:8080` });
      await pod("controller");
    },
    TEST_MS,
  );

  test("what stands in an image is its program, and nothing writes there", async () => {
    const { tree } = await treeOf("controller");
    expect(readdirSync(join(tree, places.app))).toEqual(["main.cjs"]);
    expect(readdirSync(tree).sort()).toEqual(
      expect.arrayContaining(["app", "dev", "etc", "lib", "nodejs", "proc", "sys", "usr"]),
    );
    const write =
      'try { require("fs").writeFileSync("/app/x", "") } catch (e) { console.log(process.getuid(), e.code) }';
    const started = new ContainedProcess({ tree, command: [places.node, "-e", write], environment: {} });
    expect(await started.exited).toBe(0);
    expect(started.output).toBe("65532 EROFS\n");
  });
});

test("the bill of materials of every image meets its schema and names all code of others", async () => {
  const schema = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  const { tree } = await treeOf("autoscaler");
  const text = readFileSync(join(tree, places.sbom), "utf8");
  expect(await schema.validate(text)).toBeNull();
  const names = JSON.parse(text).components.map(({ name }: { name: string }) => name);
  expect(names).toEqual(expect.arrayContaining(["node", "ws", "croner"]));
});
