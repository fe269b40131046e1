import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rouse } from "@rouse/shared";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadManifests } from "./load-manifests.ts";
import { manifestErrorText } from "./manifest.ts";

let cwd = "";
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "rouse-manifests-"));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

test("a directory's manifests are read by name, and nothing else in it", async () => {
  await mkdir(join(cwd, "d", "deeper"), { recursive: true });
  await writeFile(join(cwd, "d", "b.yaml"), configMap("b"));
  await writeFile(join(cwd, "d", "a.yml"), configMap("a"));
  await writeFile(join(cwd, "d", "c.json"), '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}');
  await writeFile(join(cwd, "d", "README.md"), "no manifest");
  await writeFile(join(cwd, "d", "deeper", "x.yaml"), configMap("x"));
  const { objects, errors } = await loadManifests(["d"], { cwd });
  expect(errors).toEqual([]);
  expect(objects.map(({ file, object }) => [file, object.metadata.name])).toEqual([
    ["d/a.yml", "a"],
    ["d/b.yaml", "b"],
    ["d/c.json", "c"],
  ]);
});

test("a program starts in its manifest's directory, wherever the command was given", async () => {
  await mkdir(join(cwd, "d"));
  const text = `apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: hello }
spec: { template: { spec: { containers: [{ command: [node, a.js] }] } } }
`;
  await writeFile(join(cwd, "d", "service.yaml"), text);
  const { objects } = await loadManifests(["d/service.yaml"], { cwd });
  expect(JSON.stringify(objects[0]?.object)).toContain(`"${rouse.directory}":"${join(cwd, "d")}"`);
});

test("what cannot be read is among the errors, beside the rest", async () => {
  await mkdir(join(cwd, "empty"));
  await writeFile(join(cwd, "good.yaml"), configMap("good"));
  await writeFile(join(cwd, "latin1.yaml"), Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
  await writeFile(join(cwd, "large.yaml"), "#".repeat(3 * 1024 * 1024 + 1));
  const paths = ["nowhere.yaml", "empty", "latin1.yaml", "large.yaml", "good.yaml"];
  const { objects, errors } = await loadManifests(paths, { cwd });
  expect(objects.map(({ object }) => object.metadata.name)).toEqual(["good"]);
  expect(errors.map(manifestErrorText)).toEqual([
    "nowhere.yaml:1:1: no such file or directory",
    "empty:1:1: no manifests in this directory: expected .yaml, .yml or .json files",
    "latin1.yaml:1:1: not UTF-8 text",
    "large.yaml:1:1: too large: 3145729 bytes, at most 3145728",
  ]);
});
