/**
 * `pnpm rouse …`: runs the command from its bundle, which is built first if a source is newer. The bundle runs in this
 * very process, so signals, input, output and the exit code are its own.
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { bundlePath } from "./build/bundle-path.ts";
import { isStale } from "./build/staleness.ts";

const root = resolve(import.meta.dirname, "..");
const bundle = join(root, bundlePath("cli"));

if (isStale(root, bundle)) {
  // In a process of its own: the bundler's threads and memory would stay.
  const built = spawnSync(process.execPath, [join(root, "scripts/build.ts"), "cli"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (built.status !== 0) process.exit(1);
}
// The package manager runs scripts in the repository's root; paths are meant from where the user stands.
process.chdir(process.env.INIT_CWD ?? process.cwd());
createRequire(import.meta.url)(bundle);
