/**
 * `pnpm rouse …`: runs the command from its bundle, which is built first if a source is newer. The bundle runs in this
 * very process, so signals, input, output and the exit code are its own.
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { bundlePath } from "./build/bundle-path.ts";
import { isStale } from "./build/staleness.ts";

/** How often the parent is looked at. */
const PARENT_MS = 250;

const root = resolve(import.meta.dirname, "..");
const bundle = join(root, bundlePath("cli"));

if (isStale(root, bundle)) {
  // In a process of its own: the bundler's threads and memory would stay.
  const built = spawnSync(process.execPath, [join(root, "scripts/build.ts"), "cli"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (built.status !== 0) process.exit(1);
}
endWithParent();
// The package manager runs scripts in the repository's root; paths are meant from where the user stands.
process.chdir(process.env.INIT_CWD ?? process.cwd());
createRequire(import.meta.url)(bundle);

/**
 * The package manager gives what it runs a process group of its own, so killing the manager would leave this behind.
 * When the parent is gone, this process is asked to end, as by TERM.
 */
function endWithParent(): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, PARENT_MS);
  timer.unref();
}
