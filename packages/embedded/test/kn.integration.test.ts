import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCondition, RealClock, RealRandom, type Revision, silentLogger } from "@rouse/shared";
import { describe, expect, onTestFinished, test } from "vitest";
import { startHome } from "../src/wiring.ts";
import { conditionsOf, Kn } from "./support/kn.ts";
import type { ServiceFlags } from "./support/kn-service.ts";

const TEST_MS = 60_000;
const PROGRAM = `
const { createServer } = require("node:http");
const say = () => process.env.K_REVISION + " " + (process.env.GREETING ?? "-");
if (process.env.CRASH) { console.error("no such table"); process.exit(3); }
createServer((_, response) => response.end(say())).listen(Number(process.env.PORT));
process.once("SIGTERM", () => process.exit(0));
`;

/** A whole platform with real processes, kn's calls for it, and flags that say which program to run. */
async function platform() {
  const folder = mkdtempSync(join(tmpdir(), "rouse-kn-"));
  writeFileSync(join(folder, "server.cjs"), PROGRAM);
  const home = await startHome(
    { clock: new RealClock(), random: new RealRandom(), log: silentLogger },
    { listen: "127.0.0.1", port: 0, dataDir: folder, isEphemeral: true },
  );
  onTestFinished(async () => {
    await home.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const command = [process.execPath, join(folder, "server.cjs")];
  const flags = (more: ServiceFlags = {}): ServiceFlags => ({ command, ...more });
  const ask = (host: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const to = { host: "127.0.0.1", port: home.gateway.port, headers: { Host: host }, agent: false };
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
  return { home, kn: await Kn.open(home.api.kubeconfig, home.api.port), flags, ask };
}

const HELLO = "hello.default.localhost";

describe("kn, replayed against a whole platform", { timeout: TEST_MS }, () => {
  test("service create, list, describe, update, delete (C-158, C-159, C-160, C-161, C-163, C-164)", async () => {
    const { kn, flags, ask } = await platform();
    const created = await kn.createService("hello", flags({ env: { GREETING: "one" } }));
    expect(conditionsOf(created.status?.conditions)).toBe("3 OK / 3");
    await expect(kn.createService("hello", flags())).rejects.toThrow("already exists");
    expect(await ask(HELLO)).toBe("hello-00001 one");
    const [listed, ...more] = await kn.listServices("hello");
    expect(more).toEqual([]);
    expect(listed?.status).toMatchObject({ latestReadyRevisionName: "hello-00001" });
    expect(listed?.status?.url).toMatch(/^http:\/\/hello\.default\.localhost(:\d+)?$/);
    expect(await kn.listServices("none")).toEqual([]);

    const scale = { "min-scale": "1", "max-scale": "2", window: "30s" };
    expect(await kn.updateService("hello", { env: { GREETING: "two" }, scale })).toEqual({ isChanged: true });
    expect(await ask(HELLO)).toBe("hello-00002 two");
    expect(await kn.updateService("hello", {})).toEqual({ isChanged: false });
    const described = await kn.describeService("hello");
    expect(described.revisions.map(({ metadata }) => metadata.name)).toEqual(["hello-00002"]);
    expect(described.all).toHaveLength(2);
    expect(described.revisions[0]?.metadata.annotations).toMatchObject({
      "autoscaling.knative.dev/max-scale": "2",
    });
    expect(described.revisions[0]?.status?.containerStatuses).toEqual([{ name: "user-container" }]); // C-47

    await kn.deleteService("hello", true);
    expect(await kn.listServices()).toEqual([]);
    await expect(kn.describeService("hello")).rejects.toMatchObject({ status: 404, reason: "NotFound" });
    expect(await ask(HELLO)).toBe("404");
  });

  test("service update --traffic, --tag, --untag; route list, describe (C-165)", async () => {
    const { kn, flags, ask } = await platform();
    await kn.createService("hello", flags({ env: { GREETING: "one" } }));
    await kn.updateService("hello", { env: { GREETING: "two" } });
    await kn.updateService("hello", { tag: ["hello-00001=old"] });
    expect(await kn.describeRoute("hello")).toEqual([
      "100% hello-00002",
      expect.stringMatching(/^0% hello-00001 #old http:\/\/old-hello\.default\.localhost/),
    ]);
    expect([await ask(HELLO), await ask(`old-${HELLO}`)]).toEqual(["hello-00002 two", "hello-00001 one"]);
    await kn.updateService("hello", { traffic: ["old=30"] });
    expect((await kn.describeService("hello")).service.spec.traffic).toMatchObject([
      { revisionName: "hello-00001", percent: 30, tag: "old" },
      { revisionName: "hello-00002", percent: 70 },
    ]);
    const [route] = await kn.listRoutes();
    expect(conditionsOf(route?.status?.conditions)).toBe("4 OK / 4");
    await kn.updateService("hello", { traffic: ["hello-00001=100"] });
    expect(await ask(HELLO)).toBe("hello-00001 one");
    await kn.updateService("hello", { untag: ["old"], traffic: ["@latest=100"] });
    expect(await kn.describeRoute("hello")).toEqual(["100% hello-00002"]);
    expect(await ask(`old-${HELLO}`)).toBe("404");
    await expect(kn.updateService("hello", { untag: ["old"] })).rejects.toThrow("not present");
  });

  test("service create --tag, --revision-name; update with a name of its own (C-162)", async () => {
    const { kn, flags, ask } = await platform();
    await kn.createService(
      "hello",
      flags({ tag: ["@latest=v1"], revisionName: "{{.Service}}-{{.Generation}}" }),
    );
    expect(await ask(`v1-${HELLO}`)).toBe("hello-1 -");
    await kn.updateService("hello", { env: { GREETING: "two" }, revisionName: "second" });
    expect(await ask(HELLO)).toBe("hello-second two");
  });

  test("service apply: created, unchanged, changed (C-158)", async () => {
    const { kn, flags, ask } = await platform();
    const one = flags({ env: { GREETING: "one" } });
    expect(await kn.applyService("hello", one)).toBe("created");
    expect(await kn.applyService("hello", one)).toBe("unchanged");
    expect(await kn.applyService("hello", { ...one, annotations: { note: "n" } })).toBe("changed");
    expect(await kn.applyService("hello", flags({ env: { GREETING: "two" } }))).toBe("changed");
    expect(await ask(HELLO)).toMatch(/two$/);
  });

  test("service create --force: a new object under the old name, its author kept (C-145)", async () => {
    const { kn, flags, ask } = await platform();
    await kn.createService("hello", flags({ labels: { team: "a" } }));
    expect(await kn.replaceService("hello", flags({ env: { GREETING: "forced" } }))).toEqual({
      isChanged: true,
    });
    expect(await ask(HELLO)).toBe("hello-00002 forced");
    const [service] = await kn.listServices();
    expect(service?.metadata.labels).toBeUndefined();
    expect(service?.metadata.annotations).toMatchObject({ "serving.knative.dev/creator": "rouse" });
    expect(await kn.replaceService("hello", flags({ env: { GREETING: "forced" } }))).toEqual({
      isChanged: false,
    });
  });

  test("revision list, describe, delete, delete --prune (C-158)", async () => {
    const { kn, flags } = await platform();
    await kn.createService("hello", flags());
    for (const GREETING of ["two", "three"]) await kn.updateService("hello", { env: { GREETING } });
    const revisions = await kn.listRevisions("hello");
    expect(revisions.map(({ metadata }) => metadata.name)).toEqual([
      "hello-00003",
      "hello-00002",
      "hello-00001",
    ]);
    await expect(kn.listRevisions("none")).rejects.toMatchObject({ status: 404 });
    const described = await kn.describeRevision("hello-00003");
    expect(described.status).toMatchObject({ actualReplicas: 1 });
    expect(conditionsOf(described.status?.conditions)).toBe("4 OK / 4");
    expect(await kn.pruneRevisions("hello")).toEqual(["hello-00002", "hello-00001"]);
    expect((await kn.listRevisions("hello")).map(({ metadata }) => metadata.name)).toEqual(["hello-00003"]);
    await expect(kn.deleteRevision("hello-00001")).rejects.toMatchObject({ status: 404 });
  });

  test("domain create, list, describe, update, delete (C-158)", async () => {
    const { kn, flags, ask, home } = await platform();
    for (const name of ["hello", "other"]) await kn.createService(name, flags());
    await expect(kn.createDomain("www.acme.io", "services", "none")).rejects.toMatchObject({ status: 404 });
    await kn.createDomain("www.acme.io", "services", "hello");
    const answers = async (want: string): Promise<string> => {
      for (;;) {
        const answer = await ask("www.acme.io");
        if (answer.startsWith(want)) return answer;
      }
    };
    expect(await answers("hello")).toBe("hello-00001 -");
    await expect(kn.createDomain("www.acme.io", "services", "hello")).rejects.toMatchObject({
      status: 409,
      reason: "AlreadyExists",
    });
    const described = await kn.describeDomain("www.acme.io");
    expect(described.spec.ref).toEqual({
      kind: "Service",
      apiVersion: "serving.knative.dev/v1",
      name: "hello",
      namespace: "default",
    });
    expect(described.status?.url).toBe(`http://www.acme.io:${home.gateway.port}`);
    expect(findCondition(described.status?.conditions, "Ready")?.status).toBe("True");
    await kn.updateDomain("www.acme.io", "routes", "other");
    expect(await answers("other")).toBe("other-00001 -");
    expect((await kn.listDomains()).map(({ metadata }) => metadata.name)).toEqual(["www.acme.io"]);
    await kn.deleteDomain("www.acme.io");
    expect(await answers("404")).toBe("404");
    expect(await kn.listDomains()).toEqual([]);
  });

  test("service import: revisions a client posts are taken for the configuration's own (C-158)", async () => {
    const { kn, flags, ask } = await platform();
    const { command = [] } = flags();
    const revision: Revision = {
      apiVersion: "serving.knative.dev/v1",
      kind: "Revision",
      metadata: {
        name: "hello-00001",
        namespace: "default",
        labels: {
          "serving.knative.dev/configuration": "hello",
          "serving.knative.dev/configurationGeneration": "1",
          "serving.knative.dev/service": "hello",
        },
        annotations: {},
      },
      spec: { containers: [{ name: "", image: "example.com/hello:1", command: [...command] }] },
    };
    const service = {
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name: "hello", namespace: "default" },
      spec: {
        template: { metadata: { name: "hello-now" }, spec: revision.spec },
        traffic: [
          { revisionName: "hello-now", percent: 60 },
          { revisionName: "hello-00001", percent: 40, tag: "before" },
        ],
      },
    };
    const imported = await kn.importService(service, [revision]);
    expect(conditionsOf(imported.status?.conditions)).toBe("3 OK / 3");
    expect(await ask(`before-${HELLO}`)).toBe("hello-00001 -");
  });

  test("what does not come up is told after the wait window, with its reason and last words (C-159, C-161)", async () => {
    const { kn, flags } = await platform();
    const why = kn.createService("hello", flags({ env: { CRASH: "1" } }));
    await expect(why).rejects.toThrow(/^RevisionFailed: .*no such table/s);
    const { service, revisions } = await kn.describeService("hello").catch(async () => ({
      service: (await kn.listServices("hello"))[0],
      revisions: await kn.listRevisions("hello"),
    }));
    expect(findCondition(service?.status?.conditions, "ConfigurationsReady")?.reason).toBe("RevisionFailed");
    expect(findCondition(revisions[0]?.status?.conditions, "ContainerHealthy")?.reason).toBe("ExitCode3");
    await kn.updateService("hello", { env: { GREETING: "well" } });
    expect(conditionsOf((await kn.listServices("hello"))[0]?.status?.conditions)).toBe("3 OK / 3");
  });

  test("an update that meets another one is repeated from what is there now", async () => {
    const { kn, flags } = await platform();
    await kn.createService("hello", flags());
    const updates = ["a", "b", "c"].map((GREETING) => kn.updateService("hello", { env: { GREETING } }));
    expect((await Promise.all(updates)).map(({ isChanged }) => isChanged)).toEqual([true, true, true]);
    expect((await kn.describeService("hello")).service.metadata.generation).toBe(4);
  });
});
