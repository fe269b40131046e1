import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { ManifestError, ManifestFile, Manifests } from "./manifest.ts";
import { type ReadOptions, readManifests } from "./read-manifests.ts";

const EXTENSIONS = /\.(ya?ml|json)$/;
/** What an API server takes as one body (P-36). */
const FILE_BYTES_MAX = 3 * 1024 * 1024;

export interface LoadOptions extends ReadOptions {
  /** Directory that relative paths start from. */
  readonly cwd: string;
}

type Loaded = { readonly file: ManifestFile } | { readonly error: ManifestError };

/**
 * Reads manifests from files, and from the `.yaml`, `.yml` and `.json` files of directories (not of those in them), by
 * name. What cannot be read is among the errors; nothing is thrown.
 */
export async function loadManifests(paths: readonly string[], options: LoadOptions): Promise<Manifests> {
  const loaded: Loaded[] = [];
  for (const path of paths) loaded.push(...(await loadPath(path, options.cwd)));
  const read = readManifests(
    loaded.flatMap((one) => ("file" in one ? [one.file] : [])),
    options,
  );
  return {
    objects: read.objects,
    errors: [...loaded.flatMap((one) => ("error" in one ? [one.error] : [])), ...read.errors],
  };
}

async function loadPath(path: string, cwd: string): Promise<readonly Loaded[]> {
  try {
    if (!(await stat(resolve(cwd, path))).isDirectory()) return [await loadFile(path, cwd)];
    const names = (await readdir(resolve(cwd, path))).filter((name) => EXTENSIONS.test(name)).sort();
    if (names.length === 0)
      return [fault(path, "no manifests in this directory: expected .yaml, .yml or .json files")];
    return await Promise.all(names.map((name) => loadFile(join(path, name), cwd)));
  } catch (error) {
    return [fault(path, reasonOf(error))];
  }
}

async function loadFile(path: string, cwd: string): Promise<Loaded> {
  const absolute = resolve(cwd, path);
  try {
    const { size } = await stat(absolute);
    if (size > FILE_BYTES_MAX) return fault(path, `too large: ${size} bytes, at most ${FILE_BYTES_MAX}`);
    const bytes = await readFile(absolute);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { file: { path, directory: dirname(absolute), text } };
  } catch (error) {
    return fault(path, error instanceof TypeError ? "not UTF-8 text" : reasonOf(error));
  }
}

function fault(file: string, message: string): Loaded {
  return { error: { file, line: 1, column: 1, path: "", message } };
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "no such file or directory";
  if (code === "EACCES") return "not allowed to read it";
  return error instanceof Error ? error.message : String(error);
}
