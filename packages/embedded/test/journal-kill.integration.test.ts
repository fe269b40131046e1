import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigMapKind, RealClock, RealRandom, SeededRandom, silentLogger } from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { ApiServer } from "../src/api-server/api-server.ts";

const WRITER = fileURLToPath(new URL("./support/journal-writer.ts", import.meta.url));
/** Killed so often within so many answered writes; the data directory goes from each life to the next. */
const KILLS_MIN = 12;
const WRITES_MIN = 10_000;
const WRITES_PER_LIFE = 1_600;
const LIVES_MAX = 60;

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
  let kills = 0;
  for (let life = 0; kills < KILLS_MIN || acknowledged < WRITES_MIN; life++) {
    expect(life).toBeLessThan(LIVES_MAX);
    const death = await liveAndDie(dataDir, {
      seed: life,
      killAfter: random.integer(1, WRITES_PER_LIFE - 100),
      // Every other time when the journal is being written anew, which is where most could go wrong.
      isKilledInRewrite: life % 2 === 1,
      known,
    });
    acknowledged += death.answers;
    if (death.isKilled) kills++;
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
}, 240_000);

/** Lets a writer write, and kills it when it has had so many answers. */
function liveAndDie(
  dataDir: string,
  {
    seed,
    killAfter,
    isKilledInRewrite,
    known,
  }: { seed: number; killAfter: number; isKilledInRewrite: boolean; known: Map<string, Known> },
): Promise<{ readonly answers: number; readonly isKilled: boolean }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRITER, dataDir, String(seed), String(WRITES_PER_LIFE)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let rest = "";
    let answers = 0;
    const rewriting = watch(dataDir, (_, name) => {
      if (isKilledInRewrite && answers >= killAfter / 4 && name === "objects.journal.new")
        child.kill("SIGKILL");
    });
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
      if (answers >= killAfter && !isKilledInRewrite) child.kill("SIGKILL");
    });
    child.once("error", reject);
    child.once("close", (_, signal) => {
      rewriting.close();
      resolve({ answers, isKilled: signal === "SIGKILL" });
    });
  });
}
