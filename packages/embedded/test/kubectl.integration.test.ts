import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { RealClock, RealRandom, silentLogger } from "@rouse/shared";
import { describe, expect, onTestFinished, test } from "vitest";
import { writeKubeconfig } from "../src/home/api-access.ts";
import { startHome } from "../src/wiring.ts";
import { Kubectl, kubectlArchive, type Said } from "./support/kubectl.ts";
import { serveApi } from "./support/serve-api.ts";

const archive = kubectlArchive();
const DIRECTORY = resolve(import.meta.dirname, "../../../samples/hello");
const SERVICE = readFileSync(join(DIRECTORY, "service.yaml"), "utf8").replace(
  /^( *)annotations:$/m,
  `$1annotations:\n$1  rouse.dev/directory: ${DIRECTORY}`,
);
const TEST_MS = 90_000;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "rouse-kube-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A kubectl and a whole platform for it, with real processes. */
async function platform() {
  const dataDir = folder();
  const home = await startHome(
    { clock: new RealClock(), random: new RealRandom(), log: silentLogger },
    { listen: "127.0.0.1", port: 0, dataDir, isEphemeral: true },
  );
  onTestFinished(() => home.close());
  return { home, kubectl: kubectlFor(home.api.kubeconfig) };
}

/** A kubectl and the API alone: nobody else writes. */
async function apiAlone() {
  const served = await serveApi();
  onTestFinished(() => served[Symbol.asyncDispose]());
  const { port, token, ca } = served;
  return kubectlFor(await writeKubeconfig(folder(), { port, token, tls: { key: "", cert: ca } }));
}

function kubectlFor(kubeconfig: string): Kubectl {
  const kubectl = new Kubectl(archive ?? "", kubeconfig);
  onTestFinished(() => kubectl[Symbol.dispose]());
  return kubectl;
}

/** What it said, if it went well. */
function ok({ code, out, err }: Said): string {
  expect({ code, err }).toMatchObject({ code: 0 });
  return out;
}

function call(port: number): Promise<{ status: number; body: string }> {
  return new Promise((done, reject) => {
    const headers = { Host: "hello.default.localhost" };
    const sent = request({ host: "127.0.0.1", port, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => done({ status: response.statusCode ?? 0, body }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe.skipIf(archive === undefined)("kubectl 1.35", () => {
  test(
    "applies a service, waits for it, sees its pods and their logs, and deletes it (P-16, P-56, P-87, P-89)",
    async () => {
      const { home, kubectl } = await platform();
      expect(ok(await kubectl.run(["apply", "-f", "-"], SERVICE))).toContain(
        "service.serving.knative.dev/hello created",
      );
      ok(await kubectl.run(["wait", "--for=condition=Ready", "ksvc/hello", "--timeout=20s"]));
      expect(ok(await kubectl.run(["get", "ksvc"]))).toMatch(
        /NAME +URL +LATESTCREATED +LATESTREADY +READY +REASON/,
      );
      expect(await call(home.gateway.port)).toMatchObject({ status: 200 });
      const pods = ok(await kubectl.run(["get", "pods", "-o", "name"])).trim();
      expect(pods).toMatch(/^pod\/hello-00001-/);
      const logs = await kubectl.run(["logs", pods]);
      expect(logs.code).toBe(0);
      expect(ok(await kubectl.run(["describe", pods]))).toContain("Controlled By");
      // Lists of custom resources are replaced whole, defaults and all: kubectl sends a patch that changes nothing.
      ok(await kubectl.run(["apply", "-f", "-"], SERVICE));
      expect(ok(await kubectl.run(["get", "ksvc", "hello", "-o", "jsonpath={.metadata.generation}"]))).toBe(
        "1",
      );
      const diff = await kubectl.run(["diff", "-f", "-"], SERVICE);
      expect(diff).toMatchObject({ code: 0, out: "" });
      const patch =
        '{"spec":{"template":{"metadata":{"annotations":{"autoscaling.knative.dev/max-scale":"2"}}}}}';
      ok(await kubectl.run(["patch", "ksvc", "hello", "--type=merge", "-p", patch]));
      ok(
        await kubectl.run([
          "wait",
          "--for=jsonpath={.status.latestReadyRevisionName}=hello-00002",
          "ksvc/hello",
        ]),
      );
      expect(ok(await kubectl.run(["delete", "ksvc", "hello"]))).toContain("deleted");
      expect(await kubectl.run(["get", "ksvc", "hello"])).toMatchObject({
        code: 1,
        err: expect.stringContaining('services.serving.knative.dev "hello" not found'),
      });
    },
    TEST_MS,
  );

  test(
    "shows changes as they come with get -w (P-110, P-124)",
    async () => {
      const kubectl = await apiAlone();
      ok(await kubectl.run(["create", "configmap", "a", "--from-literal=x=1"]));
      using watching = kubectl.start(["get", "configmaps", "-w", "--output-watch-events"]);
      await watching.says("ADDED");
      ok(await kubectl.run(["patch", "configmap", "a", "-p", '{"data":{"y":"2"}}']));
      await watching.says("MODIFIED");
      ok(await kubectl.run(["delete", "configmap", "a"]));
      await watching.says("DELETED");
    },
    TEST_MS,
  );

  test(
    "creates every kind it has a command for, in protobuf (P-130)",
    async () => {
      const kubectl = await apiAlone();
      const commands = [
        "create namespace team",
        "create configmap a --from-literal=x=1",
        "create secret generic b --from-literal=x=1",
        "create serviceaccount c",
        "create service clusterip d --tcp=80:8080",
        "create deployment e --image=example.com/app:1 --port=80 --replicas=2",
      ];
      for (const command of commands) expect(ok(await kubectl.run(command.split(" ")))).toContain("created");
      const image = "{.spec.template.spec.containers[0].image} {.spec.replicas}";
      expect(ok(await kubectl.run(["get", "deployment", "e", "-o", `jsonpath=${image}`]))).toBe(
        "example.com/app:1 2",
      );
      expect(ok(await kubectl.run(["get", "secret", "b", "-o", "jsonpath={.data.x}"]))).toBe("MQ==");
    },
    TEST_MS,
  );

  test(
    "scales, labels, replaces, explains and asks what it may (P-17, P-22, P-53, P-75)",
    async () => {
      const kubectl = await apiAlone();
      const run = async (command: string): Promise<string> => ok(await kubectl.run(command.split(" ")));
      await run("create deployment e --image=example.com/app:1");
      expect(await run("scale deployment e --replicas=3")).toContain("scaled");
      expect(await run("set image deployment/e app=example.com/app:2")).toContain("image updated");
      expect(await run("label deployment e tier=web")).toContain("labeled");
      expect(await run("annotate deployment e note=x")).toContain("annotated");
      expect(await run("get deployment e --show-labels -o wide")).toMatch(
        /0\/3 .*example\.com\/app:2 .*tier=web/,
      );
      expect(await run("explain deployment.spec.strategy")).toContain("rollingUpdate");
      expect(await run("auth can-i create pods")).toBe("yes\n");
      expect(await run("api-resources -o name")).toContain("services.serving.knative.dev");
      expect(await run("version")).toContain("v1.36.0+rouse");
      const yaml = (await run("get deployment e -o yaml")).replace("tier: web", "tier: db");
      expect(ok(await kubectl.run(["replace", "-f", "-"], yaml))).toContain("replaced");
      expect(await run("delete deployment --all")).toContain("deleted");
    },
    TEST_MS,
  );

  test(
    "is told what is wrong with a manifest (P-30, P-96)",
    async () => {
      const kubectl = await apiAlone();
      const bad = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nnope: 1\n";
      expect(await kubectl.run(["apply", "-f", "-"], bad)).toMatchObject({
        code: 1,
        err: expect.stringContaining('unknown field "nope"'),
      });
      const badName = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Upper}\n";
      expect((await kubectl.run(["create", "-f", "-"], badName)).err).toContain(
        "lowercase RFC 1123 subdomain",
      );
    },
    TEST_MS,
  );

  test(
    "applies on the server: conflicts, force, and what was applied by the client before (P-54)",
    async () => {
      const kubectl = await apiAlone();
      const map = (value: string): string =>
        `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: "${value}"}\n`;
      const apply = (text: string, ...more: readonly string[]) =>
        kubectl.run(["apply", "--server-side", "-f", "-", ...more], text);
      expect(ok(await kubectl.run(["apply", "-f", "-"], map("1")))).toContain("created");
      // What the client applied before becomes its own on the server, in up to four requests.
      expect(ok(await apply(map("2")))).toContain("serverside-applied");
      const refused = await apply(map("3"), "--field-manager=other");
      expect(refused.code).toBe(1);
      expect(refused.err).toContain('conflict with "kubectl": .data.k');
      ok(await apply(map("3"), "--field-manager=other", "--force-conflicts"));
      const shown = ok(await kubectl.run(["get", "configmap", "a", "-o", "yaml", "--show-managed-fields"]));
      expect(shown).toContain("manager: other");
      expect(
        ok(await kubectl.run(["diff", "--server-side", "-f", "-", "--field-manager=other"], map("3"))),
      ).toBe("");
      expect(ok(await apply(SERVICE))).toContain("service.serving.knative.dev/hello serverside-applied");
      const edited = SERVICE.replace("kind: Service", "kind: Service").replace(
        /^( *)containers:/m,
        "$1timeoutSeconds: 77\n$1containers:",
      );
      expect(ok(await apply(edited))).toContain("serverside-applied");
      expect(
        ok(
          await kubectl.run(["get", "ksvc", "hello", "-o", "jsonpath={.spec.template.spec.timeoutSeconds}"]),
        ),
      ).toBe("77");
    },
    TEST_MS,
  );

  test(
    "works on what the platform itself has made: logs, nodes, patches, scales, orphans (P-53, P-69, P-75, P-83, P-87)",
    async () => {
      const { kubectl } = await platform();
      const run = async (command: string): Promise<string> => ok(await kubectl.run(command.split(" ")));
      const chatty = SERVICE.replace(
        "command: [node, server.mjs]",
        "command: [sh, -c, 'echo starting; exec node server.mjs']",
      ).replace('initial-scale: "0"', 'min-scale: "1"');
      ok(await kubectl.run(["apply", "-f", "-"], chatty));
      await run("wait --for=condition=Ready ksvc/hello --timeout=20s");
      expect(await run("get nodes")).toMatch(/rouse +Ready/);
      expect(await run("describe node rouse")).toContain("hello-00001-deployment-");
      const pod = (await run("get pods -o name")).trim();
      expect(await run(`logs ${pod} --timestamps --tail=2`)).toMatch(/^\d{4}-\S+T\S+Z starting\n/);
      expect((await run(`logs ${pod} --since=1h`)).split("\n")[0]).toBe("starting");
      using following = kubectl.start(["logs", "-f", "deployment/hello-00001-deployment"]);
      await following.says("listening");
      const deployment = "deployment/hello-00001-deployment";
      await run(`label ${deployment} tier=web`);
      ok(await kubectl.run(["patch", deployment, "-p", '{"metadata":{"annotations":{"note":"x"}}}']));
      const add = '[{"op":"add","path":"/metadata/annotations/other","value":"y"}]';
      ok(await kubectl.run(["patch", deployment, "--type=json", "-p", add]));
      expect(await run(`scale ${deployment} --replicas=2`)).toContain("scaled");
      expect(await run(`autoscale ${deployment} --max=3`)).toContain("autoscaled");
      expect(await run("get hpa")).toMatch(/Deployment\/hello-00001-deployment +\S+ +3 /);
      await run("delete ksvc hello --cascade=orphan --timeout=20s");
      expect(await run("get configurations,routes -o name")).toContain(
        "configuration.serving.knative.dev/hello",
      );
      await run("delete configuration/hello route/hello --cascade=foreground --timeout=20s");
      expect(await run("get revisions -o name")).toBe("");
    },
    TEST_MS,
  );
});
