import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** A package somebody else wrote, parts of which are in a bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, as the package says; empty if it does not. */
  readonly licence: string;
  readonly folder: string;
}

/**
 * The packages a bundle holds code of, by its source map: what was declared says neither what the bundler left out nor
 * which development dependency it took in. Sorted by name, each once.
 * @throws if the map is not there
 */
export function bundledPackages(bundle: string): readonly BundledPackage[] {
  const { sources } = sourceMap(JSON.parse(readFileSync(`${bundle}.map`, "utf8")));
  const folders = new Set(
    sources
      .filter((source) => source.includes("node_modules/"))
      .map((source) => packageFolder(resolve(dirname(bundle), source))),
  );
  return [...folders].map(describe).sort((a, b) => a.name.localeCompare(b.name));
}

/** The nearest folder whose package.json has a name: some packages have others inside, to say what is ESM. */
function packageFolder(file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, "package.json");
    if (existsSync(path) && textOf(JSON.parse(readFileSync(path, "utf8")), "version") !== "") return folder;
  }
  throw new Error(`${file} belongs to no package`);
}

function describe(folder: string): BundledPackage {
  const about: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return {
    name: textOf(about, "name"),
    version: textOf(about, "version"),
    licence: textOf(about, "license"),
    folder,
  };
}

function sourceMap(value: unknown): { readonly sources: readonly string[] } {
  const sources: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "sources") : [];
  return { sources: Array.isArray(sources) ? sources.filter((each) => typeof each === "string") : [] };
}

function textOf(value: unknown, key: string): string {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  return typeof found === "string" ? found : "";
}
