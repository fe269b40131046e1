import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { BundledPackage } from "./bundled-packages.ts";

/** What an image is made of. */
export interface Contents {
  readonly program: string;
  readonly version: string;
  readonly packages: readonly BundledPackage[];
  readonly node: { readonly version: string; readonly path: string };
  /** Files of the system: where each is in the image, and where it was taken from. */
  readonly libraries: readonly { readonly path: string; readonly from: string }[];
}

/**
 * The bill of materials of one image: CycloneDX 1.6, JSON. It has no time and no serial number, so that the same
 * contents make the same text.
 */
export function sbom({ program, version, packages, node, libraries }: Contents): string {
  const name = `rouse-${program}`;
  const components = [
    {
      type: "application",
      "bom-ref": "node",
      name: "node",
      version: node.version,
      purl: `pkg:generic/node@${node.version}`,
      hashes: hashes(node.path),
      licenses: [{ license: { id: "MIT" } }],
    },
    ...packages.map(({ name, version, licence }) => {
      const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
      return { type: "library", "bom-ref": purl, name, version, purl, ...licences(licence) };
    }),
    ...libraries.map(({ path, from }) => ({
      type: "file",
      "bom-ref": path,
      name: path,
      hashes: hashes(from),
    })),
  ];
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: { type: "container", "bom-ref": name, name, version, ...licences("Apache-2.0") },
    },
    components,
    dependencies: [
      { ref: name, dependsOn: components.map((component) => component["bom-ref"]) },
      ...components.map((component) => ({ ref: component["bom-ref"] })),
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** One identifier is a licence, more of them (`MIT OR Apache-2.0`) an expression. */
function licences(text: string) {
  if (text === "") return {};
  return { licenses: [/^[\w.+-]+$/.test(text) ? { license: { id: text } } : { expression: text }] };
}

function hashes(path: string) {
  return [{ alg: "SHA-256", content: createHash("sha256").update(readFileSync(path)).digest("hex") }];
}
