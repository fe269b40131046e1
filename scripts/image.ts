/**
 * Builds a program and writes the files of its image: `node scripts/image.ts PROGRAM FOLDER`. `deploy/images/Dockerfile`
 * runs it; an image is what it writes and nothing else.
 */
import { resolve } from "node:path";
import { build, buildable } from "./build/bundle.ts";
import { writeImageTree } from "./images/image-tree.ts";

const root = resolve(import.meta.dirname, "..");
const [program, out] = process.argv.slice(2);

if (program === undefined || out === undefined || !buildable(root).includes(program)) {
  process.stderr.write(
    `usage: node scripts/image.ts PROGRAM FOLDER; programs: ${buildable(root).join(", ")}\n`,
  );
  process.exit(2);
}
await build(root, program);
writeImageTree(root, program, resolve(out));
