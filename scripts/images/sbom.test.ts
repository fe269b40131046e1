import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { expect, onTestFinished, test } from "vitest";
import { bundledPackages } from "./bundled-packages.ts";
import { sbom } from "./sbom.ts";
import { librariesOf } from "./shared-libraries.ts";

const schema = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "rouse-sbom-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** A bundle whose source map names these files, and the packages they belong to. */
function bundleOf(sources: readonly string[], packages: Readonly<Record<string, object>>): string {
  const root = folder();
  for (const [path, about] of Object.entries(packages)) {
    mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, path, "package.json"), JSON.stringify(about));
  }
  mkdirSync(join(root, "dist"));
  writeFileSync(join(root, "dist/main.cjs.map"), JSON.stringify({ sources }));
  return join(root, "dist/main.cjs");
}

test("what a bundle holds of others is read off its source map, each package once", () => {
  const bundle = bundleOf(
    [
      "../src/main.ts",
      "../node_modules/ws/lib/a.js",
      "../node_modules/ws/lib/b.js",
      "../node_modules/@x/y/esm/z.js",
    ],
    {
      "node_modules/ws": { name: "ws", version: "8.0.0", license: "MIT" },
      "node_modules/@x/y": { name: "@x/y", version: "1.2.3" },
      "node_modules/@x/y/esm": { type: "module" },
    },
  );
  expect(bundledPackages(bundle)).toMatchObject([
    { name: "@x/y", version: "1.2.3", licence: "" },
    { name: "ws", version: "8.0.0", licence: "MIT" },
  ]);
});

test("the bill of materials meets CycloneDX 1.6, and is the same for the same contents", async () => {
  const library = join(folder(), "libc.so.6");
  writeFileSync(library, "library");
  const contents = {
    program: "activator",
    version: "0.1.0",
    packages: [
      { name: "ws", version: "8.0.0", licence: "MIT", folder: "" },
      { name: "@x/y", version: "1.2.3", licence: "(MIT OR Apache-2.0)", folder: "" },
      { name: "z", version: "1.0.0", licence: "", folder: "" },
    ],
    node: { version: "24.0.0", path: library },
    libraries: [{ path: "/lib/libc.so.6", from: library }],
  };
  const text = sbom(contents);
  expect(await schema.validate(text)).toBeNull();
  expect(sbom(contents)).toBe(text);
  expect(JSON.parse(text).components.map(({ purl, name }: Record<string, string>) => purl ?? name)).toEqual([
    "pkg:generic/node@24.0.0",
    "pkg:npm/ws@8.0.0",
    "pkg:npm/%40x/y@1.2.3",
    "pkg:npm/z@1.0.0",
    "/lib/libc.so.6",
  ]);
});

test("libraries are what the linker says, the linker among them; one that is missing is no image", () => {
  const output = `\tlinux-vdso.so.1 (0x00007f)
\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f)
`;
  expect(librariesOf(output)).toEqual(["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"]);
  expect(() => librariesOf("\tlibfoo.so.1 => not found\n")).toThrow("libfoo");
});
