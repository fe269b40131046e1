import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { annotations, autoscaling, labels, rouse } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { builtInProblems } from "./built-in-schemas.ts";
import { CustomSchemas } from "./custom-schemas.ts";
import { nameOf } from "./manifest.ts";
import { programSources } from "./program-sources.ts";
import { manifestsOf } from "./render.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = join(root, "docs/guides");
const guides = readdirSync(folder).filter((name) => name.endsWith(".md"));
const textOf = (name: string): string => readFileSync(join(folder, name), "utf8");
const kubernetes = readdirSync(join(root, "deploy/kubernetes"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".yaml") && !/(kustomization|images)\.yaml$/.test(path))
  .flatMap((path) => manifestsOf(readFileSync(join(root, "deploy/kubernetes", path), "utf8")));
const blocks = (name: string, language: string): readonly string[] =>
  Array.from(
    textOf(name).matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm")),
    ([, text = ""]) => text,
  );
/** Everything guides say of commands, in blocks and in sentences. */
const commands = (name: string): readonly string[] => [
  ...blocks(name, "sh").flatMap((text) => text.replaceAll("\\\n", " ").split("\n")),
  ...Array.from(textOf(name).matchAll(/`(kubectl [^`]+)`/g), ([, text = ""]) => text),
];

describe.each(guides)("docs/guides/%s", (name) => {
  test("links and files it names are there", () => {
    const text = textOf(name);
    const links = Array.from(text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g), ([, path = ""]) => path);
    const files = Array.from(text.matchAll(/(?<![\w/.])(?:deploy|docs)\/[\w./-]*\w/g), ([path]) => path);
    const isThere = (path: string): boolean =>
      path.endsWith("serving-core.yaml") || existsSync(join(root, path)); // the operator's own
    expect(links.filter((path) => !existsSync(join(folder, path)))).toEqual([]);
    expect(files.filter((path) => !isThere(path))).toEqual([]);
  });

  test("sections it points to are there", () => {
    for (const [, path = "", anchor = ""] of textOf(name).matchAll(/\]\(([\w.-]*)#([^)]+)\)/g)) {
      const headings = Array.from(textOf(path || name).matchAll(/^#+ (.*)$/gm), ([, heading = ""]) =>
        heading
          .toLowerCase()
          .replace(/[^\w -]/g, "")
          .replaceAll(" ", "-"),
      );
      expect(headings).toContain(anchor);
    }
  });

  test("objects it shows meet the schemas of their kinds", () => {
    const schemas = new CustomSchemas(kubernetes);
    for (const object of blocks(name, "yaml").flatMap(manifestsOf)) {
      if (object.apiVersion.startsWith("gateway.")) continue; // not a kind of ours or of Kubernetes
      const isOurs = object.apiVersion.endsWith("knative.dev/v1alpha1");
      expect(isOurs ? schemas.problems(object) : builtInProblems(object), nameOf(object)).toEqual([]);
    }
  });

  test("objects of the system its commands name are those of the manifests", () => {
    const known = new Set(kubernetes.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`));
    const stock = ["deployment/controller", "deployment/autoscaler-hpa"];
    for (const command of commands(name)) {
      if (!command.includes("-n knative-serving") && !/clusterrole|webhookconf/.test(command)) continue;
      for (const [object] of command.matchAll(
        /\b(?:deployment|serviceaccount|(?:cluster)?role(?:binding)?|\w+webhookconfiguration)\/[\w.-]+/g,
      )) {
        if (!stock.includes(object)) expect(known, command).toContain(object);
      }
    }
  });

  test("annotations it names are those the code reads", () => {
    const known = [annotations, autoscaling, labels, rouse].flatMap((each): readonly string[] =>
      Object.values(each),
    );
    const network = readFileSync(join(root, "deploy/kubernetes/network-policy.yaml"), "utf8");
    const named = textOf(name).matchAll(/\b(?:rouse|autoscaling\.knative)\.dev\/[a-z-]+/g);
    for (const [annotation] of named) {
      if (!known.includes(annotation)) expect(network).toContain(`${annotation}:`);
    }
  });
});

test("settings the guide to tuning names are in the shipped ConfigMaps or read by the programs", () => {
  const packages = [
    "autoscaler/src/config",
    "controller/src/settings",
    "controller/src/revision",
    "shared/src/knative",
  ];
  const code = packages
    .flatMap((path) => {
      const at = join(root, "packages", path);
      return readdirSync(at).map((file) => readFileSync(join(at, file), "utf8"));
    })
    .join("\n");
  const named = Array.from(
    textOf("tune.md").matchAll(/`([a-z]+(?:-[a-z]+){1,})(?:: [^`]*)?`/g),
    ([, key = ""]) => key,
  );
  const shipped = readFileSync(join(root, "deploy/kubernetes/config.yaml"), "utf8");
  const isKnown = (key: string): boolean =>
    shipped.includes(`${key}:`) ||
    code.includes(`"${key}"`) ||
    code.includes(`/${key}`) ||
    key.startsWith("config-") ||
    key.startsWith("queue-sidecar-") ||
    ["activator-service", "rouse-controller"].includes(key);
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((key) => !isKnown(key))).toEqual([]);
});

test("texts of answers in the guide to troubleshooting are those the programs give", () => {
  const programs = ["activator", "controller", "queue-proxy"];
  const sources = programs.flatMap((program) => programSources(root, program));
  const code = sources.map(({ text }) => text.replaceAll('\\"', '"')).join("\n");
  const rows = Array.from(textOf("troubleshoot.md").matchAll(/^\|.*$/gm), ([row]) => row);
  const texts = rows.flatMap((row) => Array.from(row.matchAll(/`([^`]+)`/g), ([, text = ""]) => text));
  const said = texts.filter((text) => / /.test(text) && !/^(kubectl|failed calling|<)/.test(text)); // the API server's own
  const parts = said.flatMap((text) => text.split(/"?…"?/).map((part) => part.trim()));
  expect(said.length).toBeGreaterThan(6);
  expect(parts.filter((part) => part.length > 4 && !code.includes(part))).toEqual([]);
});
