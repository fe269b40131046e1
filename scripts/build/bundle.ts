import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { rolldown } from "rolldown";
import { bundlePath } from "./bundle-path.ts";
import { isStartedFromCache, startFromCache } from "./code-cache.ts";
import { isStale } from "./staleness.ts";
import { whileAlone } from "./while-alone.ts";

export interface Bundle {
  /** From the repository's root. */
  readonly path: string;
  readonly bytes: number;
}

/**
 * Bundles that run inside other people's request path hold our own code, and of others' no more than this: nothing
 * beside a program, a WebSocket client in the activator. Libraries §10.
 */
const OF_OTHERS: Readonly<Record<string, readonly string[]>> = { "queue-proxy": [], activator: ["ws"] };

/**
 * What a program loads only when it is configured to: a folder `src/otel/` with its one entry becomes a bundle of its
 * own beside `main.cjs`. It may hold code of others, as nobody pays for it who does not ask for it.
 */
const OTEL = { entry: "src/otel/telemetry.ts", import: "/otel/telemetry.ts", file: "otel.cjs" };

/**
 * By program: parts of Node that cost a process memory and time whether it uses them or not, and whose functions and classes are therefore
 * looked up when they are first called: TLS alone is 3 MiB of private memory.
 */
const LAZY: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "queue-proxy": {
    "node:dns/promises": ["lookup"],
    "node:tls": ["connect", "createServer", "TLSSocket"],
  },
};
const LAZY_PREFIX = "\0lazy:";

/** The packages that are programs: those with a `src/main.ts`. */
export function buildable(root: string): readonly string[] {
  return readdirSync(join(root, "packages"))
    .filter((name) => existsSync(join(root, "packages", name, "src/main.ts")))
    .sort();
}

/**
 * CommonJS with a source map beside it: 12 MB less resident and a start 10 ms shorter than the same as ESM
 * (libraries §3). One file, and one more where the program has an `otel/`; with V8's cache of it where starts matter.
 * One build of a program at a time, others wait for it.
 * @param options.ifStale leaves bundles that are newer than their sources as they are
 * @throws if the sources do not resolve, or a data-path bundle holds code of others
 */
export function build(
  root: string,
  name: string,
  options: { readonly ifStale?: boolean } = {},
): Promise<readonly Bundle[]> {
  const path = bundlePath(name);
  return whileAlone(join(root, dirname(path)), async () =>
    options.ifStale === true && !isStale(root, join(root, path)) ? [] : await bundles(root, name),
  );
}

/** The one that is looked at for its age comes last. */
async function bundles(root: string, name: string): Promise<readonly Bundle[]> {
  const otel = join(dirname(bundlePath(name)), OTEL.file);
  const apart = existsSync(join(root, "packages", name, OTEL.entry))
    ? [await bundle(root, { name, entry: OTEL.entry, path: otel })]
    : [];
  const isCached = isStartedFromCache(name);
  // What starts it takes the bundle's place, so the bundle itself is made beside it.
  const path = isCached ? join(dirname(bundlePath(name)), "bundle.tmp") : bundlePath(name);
  const main = await bundle(root, { name, entry: "src/main.ts", path });
  const allowed = OF_OTHERS[name];
  const foreign = main.modules.filter((id) => id.includes("node_modules"));
  const tooMuch = foreign.filter(
    (id) => allowed?.every((each) => !id.includes(`/node_modules/${each}/`)) === true,
  );
  if (tooMuch.length > 0) {
    throw new Error(`${name} must hold our own code alone, and holds ${tooMuch.join(", ")}`);
  }
  if (!isCached) return [main, ...apart];
  try {
    return [...startFromCache(root, name, main.path), ...apart];
  } finally {
    for (const file of [path, `${path}.map`]) rmSync(join(root, file));
  }
}

async function bundle(
  root: string,
  of: { readonly name: string; readonly entry: string; readonly path: string },
): Promise<Bundle & { readonly modules: readonly string[] }> {
  const lazy = of.entry === OTEL.entry ? {} : (LAZY[of.name] ?? {});
  const bundled = await rolldown({
    input: join(root, "packages", of.name, of.entry),
    platform: "node",
    cwd: root,
    plugins: [
      {
        name: "lazy-parts-of-node",
        resolveId: (source) => (source in lazy ? `${LAZY_PREFIX}${source}` : undefined),
        load: (id) => {
          const part = id.startsWith(LAZY_PREFIX) ? id.slice(LAZY_PREFIX.length) : undefined;
          return part === undefined ? undefined : lazyModule(part, lazy[part] ?? []);
        },
      },
      {
        name: "otel-apart",
        resolveId: (source, importer) =>
          importer !== undefined && source.endsWith(OTEL.import)
            ? { id: `./${OTEL.file}`, external: true }
            : undefined,
      },
      {
        name: "late-requires",
        transform: (code, id) => (id.endsWith(".mjs") ? importRequired(code) : undefined),
      },
    ],
    onLog: (level, log) => {
      if (level === "warn") throw new Error(`${of.name}: ${log.message}`);
    },
  });
  try {
    const { output } = await bundled.write({
      file: join(root, of.path),
      format: "cjs",
      minify: true,
      sourcemap: true,
      codeSplitting: false,
      dynamicImportInCjs: false, // a program run from a cache has no loader of its own, and needs none
    });
    const modules = output.flatMap((part) => (part.type === "chunk" ? part.moduleIds : []));
    return { path: of.path, bytes: statSync(join(root, of.path)).size, modules };
  } finally {
    await bundled.close();
  }
}

/**
 * Modules of the gRPC exporter require their library when they are first used, from a module that knows no `require`: the
 * bundler leaves that alone, and nobody would find the library beside a bundle.
 */
function importRequired(
  code: string,
): { readonly code: string; readonly map: { readonly mappings: "" } } | undefined {
  const names = [...new Set(Array.from(code.matchAll(LATE_REQUIRE), ([, name = ""]) => name))];
  if (names.length === 0) return undefined;
  const imports = names.map((name, index) => `import * as required${index} from ${JSON.stringify(name)};`);
  const replaced = code.replace(LATE_REQUIRE, (_, name: string) => `required${names.indexOf(name)}`);
  return { code: `${imports.join("")}${replaced}`, map: { mappings: "" } }; // lines stay; others' columns matter to nobody
}

const LATE_REQUIRE = /\b__require\("(@[^"]+)"\)/g;

/** Functions load the part when called. Nothing is an instance of a class of a part that has not been loaded. */
function lazyModule(name: string, exports: readonly string[]): string {
  const load = `(isLoaded = true, process.getBuiltinModule(${JSON.stringify(name)}))`;
  const isClass = (given: string): boolean => /^[A-Z]/.test(given);
  return [
    "let isLoaded = false;",
    ...exports.map((given) =>
      isClass(given)
        ? `export const ${given} = { [Symbol.hasInstance]: (value) => isLoaded && value instanceof ${load}.${given} };`
        : `export const ${given} = (...args) => ${load}.${given}(...args);`,
    ),
  ].join("\n");
}
