/** Builds every program whose `main.ts` exists. `node scripts/build.ts [--if-stale] [PACKAGE …]`. */
import { resolve } from "node:path";
import { build, buildable } from "./build/bundle.ts";

const root = resolve(import.meta.dirname, "..");
const asked = process.argv.slice(2).filter((word) => word !== "--if-stale");
const ifStale = process.argv.includes("--if-stale");
const wanted = buildable(root).filter((name) => asked.length === 0 || asked.includes(name));

for (const name of wanted) {
  for (const { path, bytes } of await build(root, name, { ifStale })) {
    process.stdout.write(`${path}  ${(bytes / 1024).toFixed(0)} KiB\n`);
  }
}
