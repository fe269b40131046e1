import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigMapKind, RealClock, RealRandom, SeededRandom, silentLogger } from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { ApiServer } from "../src/api-server/api-server.ts";

const WRITER = fileURLToPath(new URL("./support/journal-writer.ts", import.meta.url));
/** Raise it for more: the data directory goes from each life to the next. */
const LIVES = 4;
const WRITES_PER_LIFE = 1_600;

/** What the writer was doing with an object when it was killed. */
interface Known {
  /** Answered last; `-` when deleted. */
  acknowledged: string;
  /** Asked for after that, and not answered. */
  pending: string | undefined;
}

test("a process killed at any moment loses no write it has answered and keeps no half of one (P-49, P-98)", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "rouse-kill-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const random = new SeededRandom(7);
  const known = new Map<string, Known>();
  let version = 0;
  let acknowledged = 0;
  for (let life = 0; life < LIVES; life++) {
    acknowledged += await liveAndDie(dataDir, {
      seed: life,
      killAfter: random.integer(1, WRITES_PER_LIFE - 100),
      known,
    });
    await using server = await ApiServer.start(
      { clock: new RealClock(), random: new RealRandom(), log: silentLogger },
      { dataDir },
    );
    expect(Number(server.store.resourceVersion)).toBeGreaterThan(version);
    version = Number(server.store.resourceVersion);
    for (const [name, { acknowledged: answered, pending }] of known) {
      const stored = server.store.find(ConfigMapKind, { namespace: "default", name });
      const data: Record<string, string> = stored === undefined ? {} : Object(Reflect.get(stored, "data"));
      const value = data.value ?? "-";
      expect([answered, pending]).toContain(value);
      if (stored !== undefined) expect(data.check).toBe(`${value}/${data.padding?.length ?? 0}`);
      known.set(name, { acknowledged: value, pending: undefined });
    }
  }
  expect(acknowledged).toBeGreaterThan(LIVES);
}, 120_000);

/** Lets a writer write, and kills it when it has had so many answers. Returns how many it had. */
function liveAndDie(
  dataDir: string,
  { seed, killAfter, known }: { seed: number; killAfter: number; known: Map<string, Known> },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRITER, dataDir, String(seed), String(WRITES_PER_LIFE)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let rest = "";
    let answers = 0;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [first = "", second = "", third] = line.split(" ");
        if (first === "failed") reject(new Error(line));
        else if (first === "try") {
          const before = known.get(second) ?? { acknowledged: "-", pending: undefined };
          known.set(second, { ...before, pending: third });
        } else if (first !== "done") {
          known.set(first, { acknowledged: second, pending: undefined });
          answers++;
        }
      }
      if (answers >= killAfter) child.kill("SIGKILL");
    });
    child.once("error", reject);
    child.once("close", () => resolve(answers));
  });
}
