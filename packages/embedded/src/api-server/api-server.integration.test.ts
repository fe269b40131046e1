import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ConfigMap,
  ConfigMapKind,
  type KnativeService,
  KnativeServiceKind,
  PodKind,
  SeededRandom,
  SYSTEM_NAMESPACE,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ApiServer, ForeignJournalError } from "./api-server.ts";

let dataDir = "";
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "rouse-journal-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

let seed = 0;
const start = (clock = new VirtualClock()) =>
  ApiServer.start({ clock, random: new SeededRandom(seed++), log: silentLogger }, { dataDir });

const configMap = (name: string, data: Record<string, string>): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "default" },
  data,
});

const ref = (name: string) => ({ namespace: "default", name });

describe("objects over a restart", () => {
  test("are the same but for what lives no longer than the process", async () => {
    const first = await start();
    const created = await first.client.create(ConfigMapKind, configMap("kept", { k: "1" }));
    const changed = await first.client.update(ConfigMapKind, { ...created, data: { k: "2" } });
    await first.client.create(ConfigMapKind, configMap("gone", {}));
    await first.client.delete(ConfigMapKind, ref("gone"));
    const pod = { apiVersion: "v1", kind: "Pod", metadata: ref("p"), spec: { containers: [] } };
    await first.client.create(PodKind, pod);
    const version = Number(first.store.resourceVersion);
    await first.close();

    await using second = await start();
    expect(await second.client.get(ConfigMapKind, ref("kept"))).toEqual(changed);
    await expect(second.client.get(ConfigMapKind, ref("gone"))).rejects.toThrow("not found");
    expect((await second.client.list(PodKind)).items).toEqual([]);
    expect(Number(second.store.resourceVersion)).toBeGreaterThan(version);
    const next = await second.client.update(ConfigMapKind, { ...changed, data: { k: "3" } });
    expect(Number(next.metadata.resourceVersion)).toBeGreaterThan(version);
  });

  test("are all there again when the last record was cut short, but for that one", async () => {
    const first = await start();
    await first.client.create(ConfigMapKind, configMap("a", {}));
    await first.close();
    const path = join(dataDir, "objects.journal");
    const whole = await readFile(path);
    await appendFile(path, '000000ff 00000000 {"type":"put"');
    const second = await start();
    expect((await second.client.list(ConfigMapKind, { namespace: "default" })).items).toHaveLength(1);
    await second.close();
    expect((await readFile(path)).subarray(0, whole.length)).toEqual(whole);
    expect(await readFile(`${path}.torn`, "utf8")).toContain("000000ff");
    await using third = await start();
    expect((await third.client.list(ConfigMapKind, { namespace: "default" })).items).toHaveLength(1);
  });

  test("are not made of a file that is no journal, which stays as it is", async () => {
    const path = join(dataDir, "objects.journal");
    await writeFile(path, "my own notes");
    await expect(start()).rejects.toThrow(ForeignJournalError);
    expect(await readFile(path, "utf8")).toBe("my own notes");
  });

  test.each([
    { what: "half of it", bytes: 40 },
    { what: "nothing of it yet", bytes: 0 },
    { what: "all of it", bytes: Number.POSITIVE_INFINITY },
  ])(
    "are those of the journal in force when the process ended in writing it anew: $what",
    async ({ bytes }) => {
      const first = await start();
      await first.client.create(ConfigMapKind, configMap("a", { k: "1" }));
      await first.close();
      const path = join(dataDir, "objects.journal");
      const before = await readFile(path);
      const second = await start();
      await second.client.create(ConfigMapKind, configMap("b", { k: "2" }));
      await second.close();
      await writeFile(`${path}.new`, before.subarray(0, Math.min(bytes, before.length)));
      const third = await start();
      expect((await third.client.get(ConfigMapKind, ref("b"))).data).toEqual({ k: "2" });
      const filler = "x".repeat(100_000);
      for (let i = 0; i < 20; i++) {
        const body = { data: { k: `${i} ${filler}` } };
        await third.client.patch(ConfigMapKind, ref("a"), { kind: "merge", body });
      }
      await third.close(); // it was written anew, over what was left there
      expect((await stat(path)).size).toBeLessThan(1_200_000);
      const fourth = await start();
      expect((await fourth.client.get(ConfigMapKind, ref("a"))).data?.k).toBe(`19 ${filler}`);
      expect((await fourth.client.get(ConfigMapKind, ref("b"))).data).toEqual({ k: "2" });
      await fourth.close();
    },
  );

  test("take little room however often they change", async () => {
    const server = await start();
    await server.client.create(ConfigMapKind, configMap("a", {}));
    const filler = "x".repeat(10_000);
    for (let i = 0; i < 400; i++) {
      const body = { data: { k: `${i} ${filler}` } };
      await server.client.patch(ConfigMapKind, ref("a"), { kind: "merge", body });
    }
    await server.close();
    const second = await start();
    const kept = await second.client.get(ConfigMapKind, ref("a"));
    expect(kept.data?.k).toBe(`399 ${filler}`);
    await second.client.patch(ConfigMapKind, ref("a"), { kind: "merge", body: { data: { k: "small" } } });
    await second.close();
    expect((await stat(join(dataDir, "objects.journal"))).size).toBeLessThan(50_000);
  });

  test("can be read by their owner alone", async () => {
    const server = await start();
    await server.close();
    const { mode } = await stat(join(dataDir, "objects.journal"));
    expect(mode & 0o077).toBe(0);
  });
});

describe("admission", () => {
  const service: KnativeService = {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: ref("hello"),
    spec: { template: { spec: { containers: [{ name: "c", command: ["node"] }], timeoutSeconds: 500 } } },
  };

  test("C-24: follows the config maps of the system namespace", async () => {
    await using server = await start();
    const metadata = { name: "config-defaults", namespace: SYSTEM_NAMESPACE };
    const config = { ...configMap("", { "max-revision-timeout-seconds": "400" }), metadata };
    await server.client.create(ConfigMapKind, config);
    await expect(server.client.create(KnativeServiceKind, service)).rejects.toThrow(
      "expected 0 <= 500 <= 400",
    );
    await server.client.patch(ConfigMapKind, metadata, { kind: "merge", body: { data: null } });
    const created = await server.client.create(KnativeServiceKind, service);
    // What is stored keeps its values, what is yet to come gets the new ones
    await server.client.patch(ConfigMapKind, metadata, {
      kind: "merge",
      body: { data: { "revision-timeout-seconds": "77" } },
    });
    const template = { spec: { containers: [{ name: "c", command: ["node"] }] } };
    const later = { ...service, metadata: ref("later"), spec: { template } };
    expect((await server.client.create(KnativeServiceKind, later)).spec.template.spec.timeoutSeconds).toBe(
      77,
    );
    const stored = await server.client.get(KnativeServiceKind, ref("hello"));
    expect(stored.spec.template.spec.timeoutSeconds).toBe(500);
    expect(created.spec.traffic).toEqual([{ latestRevision: true, percent: 100 }]);
  });
});
