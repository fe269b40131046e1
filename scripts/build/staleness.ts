import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Whether the bundle is missing or older than the newest source or dependency it is made from. */
export function isStale(root: string, bundle: string): boolean {
  const builtAt = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs;
  if (builtAt === undefined) return true;
  const packages = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name, "src"));
  const builders = readdirSync(join(root, "scripts/build")).map((name) => join(root, "scripts/build", name));
  const files = [join(root, "pnpm-lock.yaml"), ...builders.filter((name) => !name.endsWith(".test.ts"))];
  for (const folder of packages) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && entry.name.endsWith(".ts") && !/\.(test|bench)\.ts$/.test(entry.name)) {
        files.push(join(entry.parentPath, entry.name));
      }
    }
  }
  return files.some((file) => statSync(file).mtimeMs > builtAt);
}
