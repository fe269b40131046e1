import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { serveApi } from "./support/serve-api.ts";

const FIXTURES = join(import.meta.dirname, "fixtures");
const REPLAY = join(FIXTURES, "kubernetes-api/replay.mjs");
const ACCEPTED = join(FIXTURES, "kubernetes-api.accepted.json");
/** What the server offers of what not every transcript needs; the rest are differences we chose (P section 17). */
const OFFERED = "gc,namespaces,paging,gzip,server-side-apply";
const SHARE_MIN = 0.95;

let lines: readonly string[] = [];

beforeAll(async () => {
  await using served = await serveApi();
  // Versions 1 and older are never kept, so nothing has to be done to forget them.
  const options = ["--insecure", "--have", OFFERED, "--compact", "true", "--verbose", "--allow", ACCEPTED];
  lines = await replay(["--server", served.url, "--token", served.token, ...options]);
}, 120_000);

describe("the recorded transcripts of a real API server are answered alike", () => {
  test.each([
    { folder: "auth", name: "auth: P-22" },
    { folder: "delete", name: "delete: P-80…P-85, P-91" },
    { folder: "discovery", name: "discovery: P-10…P-13, P-15, P-19" },
    { folder: "errors", name: "errors: P-30…P-36, P-45, P-48, P-49" },
    { folder: "knative", name: "knative: P-50, P-52, P-55, P-70, P-81, P-82, P-96" },
    { folder: "list", name: "list: P-101…P-107" },
    { folder: "metadata", name: "metadata: P-43" },
    { folder: "objects", name: "objects: P-40, P-41, P-44, P-60…P-68, P-75, P-86, P-87, P-90" },
    { folder: "options", name: "options: P-37, P-95, P-96" },
    { folder: "patch", name: "patch: P-51, P-52, P-53, P-54" },
    { folder: "protobuf", name: "protobuf: P-130, P-131" },
    { folder: "table", name: "table: P-120…P-124" },
    { folder: "watch", name: "watch: P-110…P-118" },
  ])("$name", ({ folder }) => {
    expect(lines.filter((line) => line.startsWith(`FAIL ${folder}/`))).toEqual([]);
    expect(lines.some((line) => line.includes(` ${folder}/`))).toBe(true);
  });

  test("19 of 20 word for word, the others with a reason that somebody needs", () => {
    const accepted: Record<string, string> = JSON.parse(readFileSync(ACCEPTED, "utf8"));
    const differing = new Set(lines.flatMap((line) => /^ALLOWED \(.*\) (\S+\.json) /.exec(line)?.[1] ?? []));
    expect([...differing].sort()).toEqual(Object.keys(accepted).sort());
    const same = lines.filter((line) => line.startsWith("ok ")).length;
    expect(same / (same + differing.size)).toBeGreaterThanOrEqual(SHARE_MIN);
  });
});

/** Runs the script in a process of its own: it is the recordings' own, and leaves with `process.exit`. */
function replay(args: readonly string[]): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [REPLAY, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.once("error", reject);
    child.once("close", () => resolve(output.split("\n")));
  });
}
