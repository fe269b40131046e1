import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SIDECAR_ENVIRONMENT } from "@rouse/shared/testing";
import { PROCESS_FLAGS } from "./process-flags.ts";

export interface WrittenFile {
  /** From the repository's root. */
  readonly path: string;
  readonly bytes: number;
}

/** What a program is started with while its code is kept. It listens on an address of its own and serves nobody. */
const ENVIRONMENT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "queue-proxy": {
    ...SIDECAR_ENVIRONMENT,
    OBSERVABILITY_CONFIG: '{"tracing":{},"metrics":{},"runtime":{},"requestMetrics":{}}',
  },
};
const WARM_UP_MS_MAX = 20_000;
/** As Node wraps a module; the program's first line, and none of its text's. */
const WRAPPER = "(function (exports, require, module, __filename, __dirname) {";

/** Whether starts of this program are worth it: it starts once per pod, in front of a client who waits. */
export function isStartedFromCache(name: string): boolean {
  return name in ENVIRONMENT;
}

/**
 * Makes a start read what V8 compiled before, in place of compiling it: `main.cjs` beside the bundle is a few lines that run
 * `program.DIGEST.cjs` with a cache beside it, one for Node as it is and one for the image's flags, as V8 takes none made
 * under other flags. The names hold the text's digest, because V8 itself compares no more than lengths. Nothing is
 * written when it runs, so a read-only file system is as good; a cache that is missing or of another Node costs time
 * and no more.
 * @throws if the program does not start
 */
export function startFromCache(root: string, name: string, bundle: string): readonly WrittenFile[] {
  const folder = join(root, dirname(bundle));
  const source = readFileSync(join(root, bundle), "utf8").replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
  const text = `${WRAPPER}\n${asciiOnly(source)}})\n`;
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const program = `program.${digest}.cjs`;
  for (const old of readdirSync(folder)) {
    if (old.startsWith("program.") && !old.startsWith(`program.${digest}.`)) rmSync(join(folder, old));
  }
  write(folder, program, `${text}//# sourceMappingURL=${program}.map\n`);
  write(folder, `${program}.map`, readFileSync(join(root, `${bundle}.map`)));

  const flagSets = [[], PROCESS_FLAGS[name] ?? []];
  const caches = flagSets.map(
    (flags) => [flags.join(" "), `program.${digest}.${flags.length}.cache`] as const,
  );
  write(folder, "main.cjs", starter(program, Object.fromEntries(caches)));
  write(folder, "main.cjs.map", '{"version":3,"sources":[],"names":[],"mappings":""}\n');
  for (const [index, [, cache]] of caches.entries()) {
    const temporary = mkdtempSync(join(folder, "cache-"));
    try {
      keepCode({
        name,
        main: join(folder, "main.cjs"),
        flags: flagSets[index] ?? [],
        out: join(temporary, cache),
      });
      renameSync(join(temporary, cache), join(folder, cache));
    } finally {
      rmSync(temporary, { recursive: true });
    }
  }
  return ["main.cjs", program, ...caches.map(([, cache]) => cache)].map((file) => {
    const path = join(dirname(bundle), file);
    return { path, bytes: statSync(join(root, path)).size };
  });
}

/** Whole or not at all: another build may be at work, and a program starting. */
function write(folder: string, file: string, text: string | Buffer): void {
  const temporary = join(folder, `.${file}.${process.pid}`);
  writeFileSync(temporary, text);
  renameSync(temporary, join(folder, file));
}

function keepCode(of: {
  readonly name: string;
  readonly main: string;
  readonly flags: readonly string[];
  readonly out: string;
}): void {
  const ip = `127.${2 + (process.pid % 60)}.${1 + ((process.pid >> 6) % 250)}.77`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...of.flags, "--import", join(import.meta.dirname, "keep-code.ts"), of.main, of.out, ip],
    {
      env: { ...ENVIRONMENT[of.name], ROUSE_LISTEN_IP: ip },
      timeout: WARM_UP_MS_MAX,
      encoding: "utf8",
    },
  );
  if (status !== 0) throw new Error(`${of.name} does not start: ${stdout}${stderr}`);
}

/** Text of one byte a character is half the memory and is read without being decoded. */
function asciiOnly(text: string): string {
  return text.replace(
    /[^\t\n\r -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function starter(program: string, caches: Readonly<Record<string, string>>): string {
  return `"use strict";
// Made by scripts/build: runs the program from what V8 compiled of it before, where that fits this Node and its flags.
const { readFileSync } = require("node:fs");
const { Script } = require("node:vm");
const caches = ${JSON.stringify(caches)};
const path = \`\${__dirname}/${program}\`;
const bytes = readFileSync(path);
let cachedData;
try {
  cachedData = readFileSync(\`\${__dirname}/\${caches[process.execArgv.join(" ")]}\`);
} catch {}
const script = new Script(bytes.latin1Slice(), { filename: path, lineOffset: -1, cachedData });
// What was read is 0.4 MB, which an idle process would keep until it collects.
for (const read of [bytes, cachedData]) if (read?.byteLength === read?.buffer.byteLength) read?.buffer.transfer(0);
script.runInThisContext()(exports, require, module, path, __dirname);
`;
}
