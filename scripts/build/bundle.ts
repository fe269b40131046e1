import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { bundlePath } from "./bundle-path.ts";

export interface Bundle {
  /** From the repository's root. */
  readonly path: string;
  readonly bytes: number;
}

/** Bundles that run inside other people's request path hold our own code alone. Libraries §10. */
const OWN_CODE_ALONE = new Set(["queue-proxy", "activator"]);

/** The packages that are programs: those with a `src/main.ts`. */
export function buildable(root: string): readonly string[] {
  return readdirSync(join(root, "packages"))
    .filter((name) => existsSync(join(root, "packages", name, "src/main.ts")))
    .sort();
}

/**
 * One CommonJS file with a source map beside it: 12 MB less resident and a start 10 ms shorter than the same as ESM
 * (libraries §3). @throws if the sources do not resolve, or a data-path bundle holds code of others
 */
export async function build(root: string, name: string): Promise<Bundle> {
  const path = bundlePath(name);
  const bundle = await rolldown({
    input: join(root, "packages", name, "src/main.ts"),
    platform: "node",
    cwd: root,
    onLog: (level, log) => {
      if (level === "warn") throw new Error(`${name}: ${log.message}`);
    },
  });
  try {
    const { output } = await bundle.write({
      file: join(root, path),
      format: "cjs",
      minify: true,
      sourcemap: true,
      codeSplitting: false,
    });
    const foreign = output
      .flatMap((part) => (part.type === "chunk" ? part.moduleIds : []))
      .filter((id) => id.includes("node_modules"));
    if (OWN_CODE_ALONE.has(name) && foreign.length > 0) {
      throw new Error(`${name} must hold our own code alone, and holds ${foreign.join(", ")}`);
    }
  } finally {
    await bundle.close();
  }
  return { path, bytes: statSync(join(root, path)).size };
}
