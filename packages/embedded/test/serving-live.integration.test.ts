import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCondition, labels, RealClock, RealRandom, RouteKind, silentLogger } from "@rouse/shared";
import { describe, expect, onTestFinished, test } from "vitest";
import { startHome } from "../src/wiring.ts";
import { Kubectl, kubectlArchive } from "./support/kubectl.ts";

const archive = kubectlArchive();
const TEST_MS = 90_000;
const SYSTEM = "knative-serving";
const HELLO = "hello.default.localhost";
const PROGRAM = `
const { createServer } = require("node:http");
createServer((_, response) => response.end(process.env.K_REVISION)).listen(Number(process.env.PORT));
process.once("SIGTERM", () => process.exit(0));
`;

/** A whole platform with real processes, and a real kubectl that talks to it as somebody at a shell would. */
async function shell() {
  const folder = mkdtempSync(join(tmpdir(), "rouse-live-"));
  writeFileSync(join(folder, "server.cjs"), PROGRAM);
  const home = await startHome(
    { clock: new RealClock(), random: new RealRandom(), log: silentLogger },
    { listen: "127.0.0.1", port: 0, dataDir: folder, isEphemeral: true },
  );
  const kubectl = new Kubectl(archive ?? "", home.api.kubeconfig);
  onTestFinished(async () => {
    kubectl[Symbol.dispose]();
    await home.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const k = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await kubectl.run(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${err}`);
    return out.trim();
  };
  /** `a.b=c` of an object, waited for. */
  const wait = async (object: string, path: string, value: string): Promise<void> => {
    await k("wait", object, `--for=jsonpath={${path}}=${value}`, "--timeout=30s");
  };
  const ready = async (object: string): Promise<void> => {
    await k("wait", object, "--for=condition=Ready", "--timeout=30s");
  };
  const patch = async (object: string, body: unknown): Promise<void> => {
    await k("patch", object, "--type=merge", "-p", JSON.stringify(body));
  };
  const configure = async (name: string, data: Readonly<Record<string, string | null>>): Promise<void> => {
    await k("patch", `configmap/${name}`, "-n", SYSTEM, "--type=merge", "-p", JSON.stringify({ data }));
  };
  const command = [process.execPath, join(folder, "server.cjs")];
  const template = (version: string, name?: string) => ({
    ...(name === undefined ? {} : { metadata: { name } }),
    spec: { containers: [{ image: "x", command, env: [{ name: "VERSION", value: version }] }] },
  });
  const apply = async (spec: object, metadata: object = {}): Promise<void> => {
    const service = {
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name: "hello", ...metadata },
      spec,
    };
    const { code, err } = await kubectl.run(["apply", "-f", "-"], JSON.stringify(service));
    expect({ code, err }).toMatchObject({ code: 0 });
  };
  const ask = (host: string, headers: Record<string, string> = {}): Promise<string> =>
    new Promise((resolve, reject) => {
      const to = {
        host: "127.0.0.1",
        port: home.gateway.port,
        headers: { Host: host, ...headers },
        agent: false,
      };
      const sent = request(to, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          body += part;
        });
        response.on("end", () => resolve(response.statusCode === 200 ? body : String(response.statusCode)));
      });
      sent.on("error", reject);
      sent.end();
    });
  const shares = async (): Promise<string> =>
    await k(
      "get",
      "route",
      "hello",
      "-o",
      "jsonpath={range .status.traffic[*]}{.revisionName} {.percent} {.tag};{end}",
    );
  const conditions = async (object: string): Promise<string> =>
    await k("get", object, "-o", "jsonpath={range .status.conditions[*]}{.type} {.status} {.reason};{end}");
  return { home, kubectl, k, wait, ready, patch, configure, template, apply, ask, shares, conditions };
}

describe.skipIf(archive === undefined)("a real kubectl, a whole platform", { timeout: TEST_MS }, () => {
  test("split, tags, latestRevision, and what conditions say on the way", async () => {
    const { ready, template, apply, ask, shares, conditions } = await shell();
    await apply({ template: template("one", "hello-one") });
    await ready("ksvc/hello");
    expect(await conditions("ksvc/hello")).toBe("ConfigurationsReady True ;Ready True ;RoutesReady True ;");
    expect(await conditions("route/hello")).toBe(
      "AllTrafficAssigned True ;CertificateProvisioned True TLSNotEnabled;IngressReady True ;Ready True ;",
    );
    const half = [
      { revisionName: "hello-one", percent: 50, tag: "one" },
      { latestRevision: true, percent: 50 },
    ];
    await apply({ template: template("two", "hello-two"), traffic: half });
    await ready("ksvc/hello");
    expect(await shares()).toBe("hello-one 50 one;hello-two 50 ;");
    expect(await ask(`one-${HELLO}`)).toBe("hello-one");
    const said = new Set<string>();
    for (let turn = 0; turn < 100; turn++) said.add(await ask(HELLO));
    expect(said).toEqual(new Set(["hello-one", "hello-two"]));
    const pinned = [{ revisionName: "hello-one", percent: 100, latestRevision: false }];
    await apply({ template: template("three", "hello-three"), traffic: pinned });
    await ready("ksvc/hello");
    expect(await shares()).toBe("hello-one 100 ;");
    expect(await ask(`one-${HELLO}`)).toBe("404");
    await apply({
      template: template("three", "hello-three"),
      traffic: [{ latestRevision: true, percent: 100 }],
    });
    await ready("ksvc/hello");
    expect(await ask(HELLO)).toBe("hello-three");
  });

  test("traffic for nobody, a crash, a program that is not there: the reasons, and what runs goes on", async () => {
    const { k, wait, ready, template, apply, ask, conditions } = await shell();
    await apply({ template: template("one") });
    await ready("ksvc/hello");
    await apply({ template: template("one"), traffic: [{ revisionName: "hello-none", percent: 100 }] });
    await wait("ksvc/hello", '.status.conditions[?(@.type=="RoutesReady")].reason', "RevisionMissing");
    expect(await ask(HELLO)).toBe("hello-00001");
    const all = [{ latestRevision: true, percent: 100 }];
    const failing = (command: readonly string[]) => ({ spec: { containers: [{ image: "x", command }] } });
    await apply({ template: failing(["sh", "-c", "echo no such table >&2; exit 3"]), traffic: all });
    await wait("ksvc/hello", '.status.conditions[?(@.type=="Ready")].reason', "RevisionFailed");
    expect(await conditions("revision/hello-00002")).toContain("ContainerHealthy False ExitCode3;");
    expect(await k("get", "ksvc", "hello", "-o", "jsonpath={.status.conditions}")).toContain("no such table");
    const [pod = ""] = (await k("get", "pods", "-l", `${labels.revision}=hello-00002`, "-o", "name")).split(
      "\n",
    );
    expect(await k("logs", pod, "-c", "user-container", "--previous")).toBe("no such table");
    await apply({ template: failing(["no-such-program-anywhere"]), traffic: all });
    await wait("revision/hello-00003", '.status.conditions[?(@.type=="ResourcesAvailable")].status', "False");
    expect(await conditions("revision/hello-00003")).toContain("ResourcesAvailable False RunContainerError;");
    expect(await ask(HELLO)).toBe("hello-00001");
    await apply({ template: template("four"), traffic: all });
    await ready("ksvc/hello");
    expect(await ask(HELLO)).toBe("hello-00004");
    expect(await k("get", "events", "-o", "jsonpath={.items[*].reason}")).toContain("LatestCreatedFailed");
  });

  test("a gradual rollout: one percent first, then steps that never go back, then all", async () => {
    const { home, wait, ready, template, apply, ask, conditions } = await shell();
    const rolling = { annotations: { "serving.knative.dev/rollout-duration": "4s" } };
    await apply({ template: template("one") }, rolling);
    await ready("ksvc/hello");
    const seen: number[] = [];
    const reasons = new Set<string>();
    const { resourceVersion } = await home.client.list(RouteKind);
    const watching = home.client.watch(
      RouteKind,
      { resourceVersion },
      {
        event: (event) => {
          if (event.type !== "MODIFIED") return;
          const { traffic = [], conditions } = event.object.status ?? {};
          const share = traffic.find(({ revisionName }) => revisionName === "hello-00002")?.percent;
          if (share !== undefined && share !== seen.at(-1)) seen.push(share);
          reasons.add(findCondition(conditions, "IngressReady")?.reason ?? "");
        },
        closed: () => undefined,
      },
    );
    using _ = watching;
    await apply({ template: template("two") }, rolling);
    await wait("route/hello", ".status.traffic[0].percent", "100");
    await wait("route/hello", ".status.traffic[0].revisionName", "hello-00002");
    await ready("ksvc/hello");
    expect(seen[0]).toBe(1);
    expect(seen.at(-1)).toBe(100);
    expect(seen.length).toBeGreaterThan(3);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(reasons).toContain("RolloutInProgress");
    expect(await conditions("route/hello")).toContain("IngressReady True ;");
    expect(await ask(HELLO)).toBe("hello-00002");
  });

  test("a DomainMapping leads to a service, waits for one, and goes with its claim", async () => {
    const { home, kubectl, k, wait, ready, template, apply, ask, conditions } = await shell();
    const mapping = {
      apiVersion: "serving.knative.dev/v1beta1",
      kind: "DomainMapping",
      metadata: { name: "www.acme.io" },
      spec: { ref: { kind: "Service", apiVersion: "serving.knative.dev/v1", name: "hello" } },
    };
    expect((await kubectl.run(["apply", "-f", "-"], JSON.stringify(mapping))).code).toBe(0);
    await wait(
      "dm/www.acme.io",
      '.status.conditions[?(@.type=="ReferenceResolved")].reason',
      "ResolveFailed",
    );
    await apply({ template: template("one") });
    await ready("dm/www.acme.io");
    expect(await conditions("dm/www.acme.io")).toBe(
      "CertificateProvisioned True TLSNotEnabled;DomainClaimed True ;IngressReady True ;Ready True ;ReferenceResolved True ;",
    );
    expect(await ask("www.acme.io")).toBe("hello-00001");
    expect(await k("get", "dm", "www.acme.io", "-o", "jsonpath={.status.url}")).toBe(
      `http://www.acme.io:${home.gateway.port}`,
    );
    expect(await k("get", "cdc", "-o", "name")).toContain("www.acme.io");
    await k("delete", "dm", "www.acme.io");
    expect(await ask("www.acme.io")).toBe("404");
    expect(await k("get", "cdc", "-o", "name")).toBe("");
  });

  test("config maps take effect when they are changed, and one that makes no sense is refused", async () => {
    const { kubectl, k, wait, ready, patch, configure, template, apply, ask } = await shell();
    await apply({
      template: template("one"),
      traffic: [
        { latestRevision: true, percent: 100 },
        { latestRevision: true, percent: 0, tag: "blue" },
      ],
    });
    await ready("ksvc/hello");

    await configure("config-autoscaler", { "stable-window": "17s" });
    await wait("metric.autoscaling.internal.knative.dev/hello-00001", ".spec.stableWindow", "17000000000");

    await configure("config-deployment", { "progress-deadline": "77s" });
    await wait("deployment/hello-00001-deployment", ".spec.progressDeadlineSeconds", "77");

    await configure("config-observability", { "logging.revision-url-template": "http://logs/here" });
    await wait("revision/hello-00001", ".status.logUrl", "http://logs/here");

    await configure("config-defaults", { "revision-timeout-seconds": "99", "container-concurrency": "7" });
    await patch("ksvc/hello", { spec: { template: { metadata: { labels: { again: "yes" } } } } });
    await wait("ksvc/hello", ".status.latestReadyRevisionName", "hello-00002");
    // Stored by the update that came before, the old values stay; what says nothing gets the new ones.
    await apply({ template: template("three") });
    expect(await k("get", "configmap", "config-defaults", "-n", SYSTEM, "-o", "jsonpath={.data}")).toContain(
      "99",
    );

    await configure("config-domain", { localhost: null, "example.test": "" });
    await wait("ksvc/hello", ".status.address.url", "http://hello.default.svc.cluster.local");
    while ((await ask("hello.default.example.test")) === "404");
    expect(await ask(HELLO)).toBe("404");
    await configure("config-domain", { localhost: "", "example.test": null });

    await configure("config-features", { "tag-header-based-routing": "enabled" });
    await apply({
      template: template("three"),
      traffic: [
        { latestRevision: true, percent: 100 },
        { revisionName: "hello-00001", percent: 0, tag: "blue" },
      ],
    });
    await ready("ksvc/hello");
    while ((await ask(HELLO, { "Knative-Serving-Tag": "blue" })) !== "hello-00001");
    expect(await ask(HELLO)).not.toBe("hello-00001");

    await configure("config-network", { "tag-template": "{{.Name}}-{{.Tag}}" });
    while ((await ask("hello-blue.default.localhost")) !== "hello-00001");
    await configure("config-network", { "default-external-scheme": "https" });
    while (!(await k("get", "ksvc", "hello", "-o", "jsonpath={.status.url}")).startsWith("https://"));

    await apply({ template: template("three"), traffic: [{ latestRevision: true, percent: 100 }] });
    await ready("ksvc/hello");
    await configure("config-gc", {
      "retain-since-create-time": "disabled",
      "retain-since-last-active-time": "disabled",
      "min-non-active-revisions": "0",
      "max-non-active-revisions": "0",
    });
    while ((await k("get", "revisions", "-o", "name")).split("\n").length > 1);
    expect(await ask(HELLO)).toBe("hello-00003");

    const bad = ["patch", "configmap/config-gc", "-n", SYSTEM, "--type=merge", "-p"];
    const refused = await kubectl.run([...bad, '{"data":{"min-non-active-revisions":"-1"}}']);
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringContaining("config.webhook.serving.knative.dev"),
    });
    expect(refused.err).toContain("min-non-active-revisions");
  });
});
