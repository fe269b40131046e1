import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isStale } from "./staleness.ts";

/** A repository with these files, each last changed at its second. */
function repository(files: Readonly<Record<string, number>>): string {
  const root = mkdtempSync(join(tmpdir(), "rouse-stale-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, second] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), "");
    utimesSync(join(root, path), second, second);
  }
  return root;
}

const BUNDLE = "packages/cli/dist/main.cjs";
const base = {
  "pnpm-lock.yaml": 1,
  "scripts/build/bundle.ts": 1,
  "packages/cli/src/main.ts": 1,
  "packages/shared/src/kube/a.ts": 1,
};

test.each([
  { why: "there is none", files: {}, stale: true },
  { why: "it is newer than all", files: { [BUNDLE]: 5 }, stale: false },
  {
    why: "a source of any package is newer",
    files: { [BUNDLE]: 5, "packages/shared/src/kube/b.ts": 6 },
    stale: true,
  },
  { why: "the dependencies are newer", files: { [BUNDLE]: 5, "pnpm-lock.yaml": 6 }, stale: true },
  {
    why: "only a test is newer",
    files: { [BUNDLE]: 5, "packages/shared/src/kube/a.test.ts": 6 },
    stale: false,
  },
])("a bundle is stale: $stale, as $why", ({ files, stale }) => {
  const root = repository({ ...base, ...files });
  expect(isStale(root, join(root, BUNDLE))).toBe(stale);
});
