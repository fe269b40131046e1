import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "../build/bundle.ts";
import { bundlePath } from "../build/bundle-path.ts";
import { isStale } from "../build/staleness.ts";
import type { Source } from "./api-calls.ts";
import { listAt } from "./manifest.ts";

/** Our own sources in a program's bundles: what it does not import, it does not do. Builds it first if it is stale. */
export async function programSources(root: string, program: string): Promise<readonly Source[]> {
  const bundle = join(root, bundlePath(program));
  if (isStale(root, bundle)) await build(root, program);
  const folder = dirname(bundle);
  const maps = readdirSync(folder).filter((name) => name.endsWith(".cjs.map"));
  const paths = maps.flatMap((name): readonly string[] => {
    const map: unknown = JSON.parse(readFileSync(join(folder, name), "utf8"));
    return listAt(map, "sources").map((source) => relative(root, resolve(folder, String(source))));
  });
  return [...new Set(paths)]
    .filter((path) => path.startsWith("packages/"))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}
