/**
 * `pnpm conformance [SPEC_FOLDER]`: writes docs/conformance/ from the contracts, where their folder is there, and from
 * the names of the tests. Without the folder the numbers listed last are kept.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { conformancePages } from "./conformance/pages.ts";

const root = resolve(import.meta.dirname, "..");
for (const { path, text } of conformancePages(root, process.argv[2] ?? join(root, "../shared/spec"))) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  const summary = /^\d+ requirements: .*$/m.exec(text)?.[0];
  if (summary !== undefined) process.stdout.write(`${path}  ${summary}\n`);
}
