import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serveApi } from "./support/serve-api.ts";

const FIXTURES = join(import.meta.dirname, "fixtures");
const REPLAY = join(FIXTURES, "kubernetes-api/replay.mjs");
const ACCEPTED = join(FIXTURES, "kubernetes-api.accepted.json");
/** What the server offers of what not every transcript needs; the rest are differences we chose (P section 17). */
const OFFERED = "gc,namespaces,paging,gzip";
const SHARE_MIN = 0.95;

test("the recorded transcripts of a real API server pass, but for those listed with a reason", async () => {
  const { url, token } = await serveApi();
  // Versions 1 and older are never kept, so nothing has to be done to forget them.
  const options = ["--insecure", "--have", OFFERED, "--compact", "true", "--verbose", "--allow", ACCEPTED];
  const lines = await replay(["--server", url, "--token", token, ...options]);
  expect(lines.filter((line) => line.startsWith("FAIL"))).toEqual([]);
  const accepted: Record<string, string> = JSON.parse(readFileSync(ACCEPTED, "utf8"));
  const differing = new Set(lines.flatMap((line) => /^ALLOWED \(.*\) (\S+\.json) /.exec(line)?.[1] ?? []));
  // A reason nobody needs any more goes.
  expect([...differing].sort()).toEqual(Object.keys(accepted).sort());
  const same = lines.filter((line) => line.startsWith("ok ")).length;
  expect(same / (same + differing.size)).toBeGreaterThanOrEqual(SHARE_MIN);
}, 120_000);

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
