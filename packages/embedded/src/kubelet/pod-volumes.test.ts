import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Pod, rouse, type Stored, type Volume } from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import type { PodSources } from "./pod-sources.ts";
import { planVolumes, removeVolumes, writeVolumes } from "./pod-volumes.ts";

const sources: PodSources = {
  configMap: (name) => (name === "pages" ? { "index.html": "<p>", other: "o" } : undefined),
  secret: (name) => (name === "keys" ? { key: Buffer.from([0, 255]) } : undefined),
};

function podWith(volumes: readonly Volume[], annotations: Record<string, string>): Stored<Pod> {
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/srv/${name}` }));
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
      annotations,
    },
    spec: { containers: [{ name: "c", volumeMounts }], volumes },
  };
}

const byVariable = { [rouse.volumes]: "by-variable" };

test("ConfigMaps, Secrets and empty directories become directories of the pod's own", async () => {
  const directory = mkdtempSync(join(tmpdir(), "rouse-volumes-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const pod = podWith(
    [
      { name: "web", configMap: { name: "pages", items: [{ key: "index.html", path: "a/b.html" }] } },
      { name: "tls", secret: { secretName: "keys" } },
      { name: "tmp", emptyDir: {} },
      { name: "maybe", configMap: { name: "none", optional: true } },
    ],
    byVariable,
  );
  const plan = planVolumes(pod, sources, directory);
  if (plan.kind !== "volumes") throw new Error(plan.message);
  await writeVolumes(plan.volumes);
  expect(readFileSync(join(directory, "web/a/b.html"), "utf8")).toBe("<p>");
  expect([...readFileSync(join(directory, "tls/key"))]).toEqual([0, 255]);
  expect(statSync(join(directory, "tls/key")).mode & 0o777).toBe(0o600);
  expect(statSync(join(directory, "tmp")).isDirectory()).toBe(true);
  expect(plan.volumes.map(({ name }) => name)).toEqual(["web", "tls", "tmp", "maybe"]);
  await removeVolumes(directory);
  expect(statSync(directory, { throwIfNoEntry: false })).toBeUndefined();
});

test.each([
  {
    volume: { name: "v", emptyDir: {} },
    annotations: {},
    isFinal: true,
    want: "cannot be mounted at /srv/v",
  },
  {
    volume: { name: "v", configMap: { name: "none" } },
    annotations: byVariable,
    isFinal: false,
    want: 'configmap "none" not found',
  },
  {
    volume: { name: "v", configMap: { name: "pages", items: [{ key: "no", path: "no" }] } },
    annotations: byVariable,
    isFinal: false,
    want: "has no key no",
  },
  {
    volume: { name: "v", configMap: { name: "pages", items: [{ key: "other", path: "../../x" }] } },
    annotations: byVariable,
    isFinal: true,
    want: "leaves the volume",
  },
  {
    volume: { name: "v" },
    annotations: byVariable,
    isFinal: true,
    want: "only emptyDir, configMap and secret",
  },
])("$want", ({ volume, annotations, isFinal, want }) => {
  const plan = planVolumes(podWith([volume], annotations as Record<string, string>), sources, "/nowhere");
  expect(plan).toMatchObject({ kind: "missing", isFinal });
  expect(plan.kind === "missing" && plan.message).toContain(want);
});
