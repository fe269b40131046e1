import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ConfigMapKind,
  DeploymentKind,
  HttpKubeClient,
  Informer,
  kubeconfigServer,
  objectKey,
  RealClock,
  RealRandom,
  silentLogger,
} from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { startHome } from "../src/index.ts";

const clock = new RealClock();
const random = new RealRandom();
const namespace = "default";

/** A home, and our client of its API as a component of a cluster has it: TLS, kubeconfig, watches over the wire. */
async function started() {
  const dataDir = mkdtempSync(join(tmpdir(), "rouse-client-"));
  const home = await startHome(
    { clock, random, log: silentLogger },
    { listen: "127.0.0.1", port: 0, dataDir, isEphemeral: true },
  );
  const path = home.api.kubeconfig;
  const server = kubeconfigServer({ clock }, parse(readFileSync(path, "utf8")), path);
  const client = new HttpKubeClient({ clock, random, server });
  onTestFinished(async () => {
    client[Symbol.dispose]();
    await home.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { home, client };
}

test("an informer of our own client follows the API, through changes, deletions and a patch of the scale", async () => {
  const { client } = await started();
  const seen: string[] = [];
  using informer = new Informer({ client, clock, random }, ConfigMapKind, { namespace }).handle({
    changed: ({ metadata, data }) => seen.push(`${metadata.name} ${data?.a ?? ""}`),
    removed: ({ metadata }) => seen.push(`${metadata.name} gone`),
  });
  await informer.start();
  const metadata = { namespace, name: "one" };
  const created = await client.create(ConfigMapKind, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata,
    data: { a: "1" },
  });
  const updated = await client.update(ConfigMapKind, { ...created, data: { a: "2" } });
  await expect(client.update(ConfigMapKind, { ...created, data: { a: "3" } })).rejects.toMatchObject({
    reason: "Conflict",
  });
  await client.patch(ConfigMapKind, metadata, { kind: "merge", body: { data: { a: "4" } } });
  await expect.poll(() => informer.get(objectKey(metadata))?.data).toEqual({ a: "4" });
  expect(updated.metadata.uid).toBe(created.metadata.uid);
  await client.delete(ConfigMapKind, metadata, { uid: created.metadata.uid });
  await expect.poll(() => seen.at(-1)).toBe("one gone");
  await expect(client.get(ConfigMapKind, metadata)).rejects.toMatchObject({ reason: "NotFound" });

  await client.create(DeploymentKind, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace, name: "none" },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: "none" } },
      template: { metadata: { labels: { app: "none" } }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  });
  const operations = [{ op: "add", path: "/spec/replicas", value: 0 }] as const;
  await client.patch(DeploymentKind, { namespace, name: "none" }, { kind: "json", operations }, "scale");
  expect((await client.get(DeploymentKind, { namespace, name: "none" })).spec.replicas).toBe(0);
});

test("what the API does not take is told with its reason", async () => {
  const { client } = await started();
  const metadata = { namespace, name: "Not A Name" };
  await expect(
    client.create(ConfigMapKind, { apiVersion: "v1", kind: "ConfigMap", metadata }),
  ).rejects.toMatchObject({ reason: "Invalid" });
  const twice = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name: "twice" } };
  await client.create(ConfigMapKind, twice);
  await expect(client.create(ConfigMapKind, twice)).rejects.toMatchObject({ reason: "AlreadyExists" });
});
