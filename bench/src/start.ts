import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { SIDECAR_ENVIRONMENT, SIDECAR_FLAGS } from "@rouse/shared/testing";
import { type Benchmark, result } from "./benchmark.ts";
import { quantile, spread } from "./quantile.ts";

const ROUNDS = { quick: 8, full: 30 } as const;
/** As a pod has it: all interfaces, the contract's ports. */
const PORT = Number(SIDECAR_ENVIRONMENT.QUEUE_SERVING_PORT);
/** Asking without a pause would take the core the sidecar starts on. */
const RETRY_MS = 1;
/** As one types it, and as the image's entry point has it: any flag costs Node the code it has compiled of itself. */
const WAYS = [
  { name: "", flags: [] },
  { name: " with the image's flags", flags: SIDECAR_FLAGS },
] as const;

/** The sidecar beside a Node that does nothing, started with the same flags, in turns. */
export const start: Benchmark = {
  name: "start",
  question: "How long does a sidecar take to listen, beside the time Node takes to start and end?",
  run: async ({ isQuick, root, progress }) => {
    const built = spawnSync(process.execPath, [join(root, "scripts/build.ts"), "queue-proxy"], {
      encoding: "utf8",
    });
    if (built.status !== 0) throw new Error(built.stderr);
    const rounds = isQuick ? ROUNDS.quick : ROUNDS.full;
    const taken = WAYS.map((way) => ({ ...way, bare: [] as number[], listening: [] as number[] }));
    for (let round = 1; round <= rounds; round++) {
      for (const { name, flags, bare, listening } of taken) {
        const [bareMs, listeningMs] = [await untilItEnds(flags), await untilItListens(root, flags)];
        bare.push(bareMs);
        listening.push(listeningMs);
        progress(`round ${round}${name}: node ${bareMs.toFixed(1)} ms, sidecar ${listeningMs.toFixed(1)} ms`);
      }
    }
    const plainMs = quantile(taken[0]?.bare ?? [], 0.5);
    return taken.flatMap(({ name, bare, listening }) => {
      const bareMs = quantile(bare, 0.5);
      const listeningMs = quantile(listening, 0.5);
      return [
        result(`node${name} -e 0, from start to end`, "ms", bareMs, {
          spread: spread(bare),
          baseline: plainMs,
        }),
        result(`sidecar${name}, from start to listening`, "ms", listeningMs, {
          spread: spread(listening),
          baseline: bareMs,
        }),
        ...(name === ""
          ? []
          : [result(`sidecar${name}, beside plain node`, "ms", listeningMs, { baseline: plainMs })]),
      ];
    });
  },
};

async function untilItEnds(flags: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  await once(spawn(process.execPath, [...flags, "-e", "0"], { env: {}, stdio: "ignore" }), "exit");
  return performance.now() - startedMs;
}

async function untilItListens(root: string, flags: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  const main = join(root, "packages/queue-proxy/dist/main.cjs");
  const child = spawn(process.execPath, [...flags, main], { env: SIDECAR_ENVIRONMENT, stdio: "ignore" });
  try {
    while (!(await isOpen(child)));
    return performance.now() - startedMs;
  } finally {
    child.kill("SIGKILL");
    if (child.exitCode === null) await once(child, "exit");
  }
}

/** @throws when the sidecar has ended: its ports are taken, for example */
function isOpen(child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null) {
    throw new Error(
      `the sidecar has ended with ${child.exitCode}: are 8012, 8022 and 9090 free on every address?`,
    );
  }
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: PORT });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => setTimeout(() => resolve(false), RETRY_MS));
  });
}
