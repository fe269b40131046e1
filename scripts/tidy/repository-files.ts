import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SourceFile } from "./source-text.ts";

const NOT_OURS = new Set(["node_modules", "dist", "coverage", ".git", ".rouse", "fixtures"]);
/** The lockfile names the registry it was made with; it is the one text here that has to. */
const NOT_READ = new Set(["pnpm-lock.yaml"]);
const TEXT = /\.(ts|mts|mjs|cjs|js|json|ya?ml|md|sh)$|(^|\/)\.ci\/run$/;

/** Every text of the repository at `root` that somebody here wrote. */
export function repositoryFiles(root: string): readonly SourceFile[] {
  const found: SourceFile[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (NOT_OURS.has(entry.name) || NOT_READ.has(entry.name)) continue;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile() && TEXT.test(path))
        found.push({ path, text: readFileSync(join(root, path), "utf8") });
    }
  };
  walk("");
  return found;
}
