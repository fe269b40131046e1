import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { builtInProblems } from "./built-in-schemas.ts";
import { type Manifest, nameOf } from "./manifest.ts";
import { canRender, manifestsOf, Renderer } from "./render.ts";

const overlay = resolve(import.meta.dirname, "../../deploy/knative");
const stock = join(import.meta.dirname, "fixtures/serving-core.yaml");
/** kustomize is a process, and the machine may be busy. */
const TEST_MS = 60_000;
const registry = "registry.example.com/rouse";

/** What a cluster would have with the overlay, its comments in front of `components` taken away. */
async function withOverlay(
  renderer: Renderer,
  ...components: readonly string[]
): Promise<readonly Manifest[]> {
  const folder = mkdtempSync(join(tmpdir(), "rouse-overlay-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(overlay, folder, { recursive: true });
  cpSync(stock, join(folder, "serving-core.yaml"));
  const path = join(folder, "kustomization.yaml");
  const text = components.reduce(
    (before, each) => before.replace(`# - ${each}\n`, `- ${each}\n`),
    readFileSync(path, "utf8"),
  );
  writeFileSync(path, text);
  return await renderer.render(folder);
}

/** `object: path = value` of everything in an object. */
function leaves(manifests: readonly Manifest[]): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) found.set(path, value);
    else for (const [key, member] of Object.entries(value)) walk(member, `${path}/${key}`);
  };
  for (const manifest of manifests) walk(manifest, nameOf(manifest));
  return found;
}

/** What differs from the manifest Knative was installed from, by path. */
function changes(manifests: readonly Manifest[]): Readonly<Record<string, unknown>> {
  const before = leaves(manifestsOf(readFileSync(stock, "utf8")));
  const after = leaves(manifests);
  const paths = new Set([...before.keys(), ...after.keys()]);
  return Object.fromEntries(
    [...paths].filter((path) => before.get(path) !== after.get(path)).map((path) => [path, after.get(path)]),
  );
}

const dataPlane = {
  "ConfigMap knative-serving/config-deployment/data/queue-sidecar-image": `${registry}/queue-proxy:0.1.0`,
  "Deployment knative-serving/activator/spec/template/spec/containers/0/image": `${registry}/activator:0.1.0`,
};
const autoscaler = {
  "Deployment knative-serving/autoscaler/spec/template/spec/containers/0/image": `${registry}/autoscaler:0.1.0`,
};

describe.skipIf(!canRender)("kubectl apply -k deploy/knative", () => {
  let renderer: Renderer;
  beforeAll(() => {
    renderer = new Renderer();
  }, TEST_MS);
  afterAll(() => renderer[Symbol.dispose]());

  test(
    "swaps the sidecar's image and the activator's, and nothing else",
    async () => {
      expect(changes(await withOverlay(renderer))).toEqual(dataPlane);
    },
    TEST_MS,
  );

  test(
    "the autoscaler is switched alone: one more image",
    async () => {
      expect(changes(await withOverlay(renderer, "autoscaler"))).toEqual({ ...dataPlane, ...autoscaler });
    },
    TEST_MS,
  );

  test(
    "the ServerlessService controller is switched alone: objects of its own, and no stock one is touched",
    async () => {
      const manifests = await withOverlay(renderer, "serverless-service");
      const others = Object.keys(changes(manifests)).filter((path) => !(path in dataPlane));
      expect(others.length).toBeGreaterThan(0);
      expect(others.filter((path) => !/^\w+ (?:knative-serving\/)?rouse-controller\//.test(path))).toEqual(
        [],
      );
      const problems = manifests.flatMap((manifest) =>
        builtInProblems(manifest).map((problem) => `${nameOf(manifest)}: ${problem}`),
      );
      expect(problems).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "each can be left out: both together are the sum of what they are alone",
    async () => {
      const both = changes(await withOverlay(renderer, "autoscaler", "serverless-service"));
      expect(both).toEqual({ ...changes(await withOverlay(renderer, "serverless-service")), ...autoscaler });
    },
    TEST_MS,
  );
});
