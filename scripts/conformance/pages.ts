import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryFiles } from "../tidy/repository-files.ts";
import { type Requirements, requirementsOf } from "./requirements.ts";
import { type Spec, specs } from "./specs.ts";
import { conformancePage, type Reasons } from "./table.ts";
import { namedTests } from "./test-names.ts";

const FOLDER = "docs/conformance";

/** A file the generator owns, as it has to be. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

/**
 * Every generated page of the repository at `root`. Requirements come from the contracts in `specFolder` where there
 * is one, and else from the list that was made from them last.
 */
export function conformancePages(root: string, specFolder?: string): readonly Page[] {
  const tests = repositoryFiles(root)
    .filter(({ path }) => /^(?:packages|scripts\/(?:deploy|images))\/.*\.test\.ts$/.test(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .flatMap(namedTests);
  return specs.flatMap((spec) => {
    const listPath = `${FOLDER}/${spec.name}.requirements.json`;
    const requirements = read(spec, specFolder) ?? listed(join(root, listPath));
    const reasons = listed(join(root, `${FOLDER}/${spec.name}.reasons.json`));
    return [
      { path: listPath, text: `${JSON.stringify(requirements, undefined, 2)}\n` },
      { path: `${FOLDER}/${spec.name}.md`, text: conformancePage(spec, { requirements, reasons, tests }) },
    ];
  });
}

function read(spec: Spec, folder: string | undefined): Requirements | undefined {
  const path = folder === undefined ? undefined : join(folder, `${spec.name}.md`);
  return path === undefined || !existsSync(path)
    ? undefined
    : requirementsOf(spec, readFileSync(path, "utf8"));
}

function listed(path: string): Requirements & Reasons {
  if (!existsSync(path)) return {};
  const value: unknown = JSON.parse(readFileSync(path, "utf8"));
  if (typeof value !== "object" || value === null) throw new Error(`${path}: not an object`);
  return Object.fromEntries(Object.entries(value).map(([number, text]) => [number, String(text)]));
}
