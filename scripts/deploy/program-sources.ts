import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Source } from "./api-calls.ts";

const IMPORT =
  /(?:import|export)\s+(?<type>type\s+)?(?:\{(?<names>[^}]*)\}\s*from\s*)?["'](?<from>[^"']+)["']|import\(["'](?<later>[^"']+)["']\)/g;
const SHARED = "packages/shared/src/index.ts";

/**
 * Our own sources a program is made of: from its `main.ts` along the imports, of what the packages share only the files
 * of the names it takes. What it does not import, it does not do. Types count for nothing.
 */
export function programSources(root: string, program: string): readonly Source[] {
  const found = new Map<string, Source>();
  const shared = exportsOf(readFileSync(join(root, SHARED), "utf8"));
  const visit = (path: string): void => {
    if (found.has(path)) return;
    if (!existsSync(join(root, path))) throw new Error(`${path} is imported and not there`);
    const text = readFileSync(join(root, path), "utf8");
    found.set(path, { path, text });
    for (const { groups = {} } of text.matchAll(IMPORT)) {
      const from = groups.from ?? groups.later ?? "";
      if (groups.type !== undefined) continue;
      if (from.startsWith(".")) visit(join(dirname(path), from));
      else if (from === "@rouse/shared") {
        for (const name of valuesOf(groups.names ?? "")) {
          const file = shared.get(name);
          if (file === undefined) throw new Error(`${path} imports ${name}, which nobody shares`);
          visit(join(dirname(SHARED), file));
        }
      }
    }
  };
  visit(`packages/${program}/src/main.ts`);
  return [...found.values()];
}

/** In which file each name of an index is. */
function exportsOf(index: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const { groups = {} } of index.matchAll(IMPORT)) {
    for (const name of valuesOf(groups.names ?? "")) files.set(name, groups.from ?? "");
  }
  return files;
}

/** Names between braces that are no types, each as it is called outside. */
function valuesOf(names: string): readonly string[] {
  return names
    .replace(/\/\*.*?\*\/|\/\/.*$/gm, "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && !name.startsWith("type "))
    .map((name) => name.split(/\s+as\s+/)[0] ?? "");
}
