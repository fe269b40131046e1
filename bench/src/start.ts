import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { SIDECAR_ENVIRONMENT } from "@rouse/shared/testing";
import { type Benchmark, result } from "./benchmark.ts";
import { quantile, spread } from "./quantile.ts";

const ROUNDS = { quick: 8, full: 30 } as const;
/** As a pod has it: all interfaces, the contract's ports. */
const PORT = Number(SIDECAR_ENVIRONMENT.QUEUE_SERVING_PORT);
/** Asking without a pause would take the core the sidecar starts on. */
const RETRY_MS = 1;
/** The sidecar as its image has it, without flags, beside a Node that does nothing, in turns. */
export const start: Benchmark = {
  name: "start",
  question: "How long does a sidecar take to listen, beside the time Node takes to start and end?",
  run: async ({ isQuick, root, progress }) => {
    const built = spawnSync(process.execPath, [join(root, "scripts/build.ts"), "queue-proxy"], {
      encoding: "utf8",
    });
    if (built.status !== 0) throw new Error(built.stderr);
    const rounds = isQuick ? ROUNDS.quick : ROUNDS.full;
    const [bare, listening]: [number[], number[]] = [[], []];
    for (let round = 1; round <= rounds; round++) {
      const startedMs = performance.now();
      await once(spawn(process.execPath, ["-e", "0"], { env: {}, stdio: "ignore" }), "exit");
      bare.push(performance.now() - startedMs);
      listening.push(await untilItListens(root));
      progress(
        `round ${round}: node ${bare.at(-1)?.toFixed(1)} ms, sidecar ${listening.at(-1)?.toFixed(1)} ms`,
      );
    }
    const baseline = quantile(bare, 0.5);
    return [
      result("node -e 0, from start to end", "ms", baseline, { spread: spread(bare), baseline }),
      result("sidecar, from start to listening", "ms", quantile(listening, 0.5), {
        spread: spread(listening),
        baseline,
      }),
    ];
  },
};

async function untilItListens(root: string): Promise<number> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [join(root, "packages/queue-proxy/dist/main.cjs")], {
    env: SIDECAR_ENVIRONMENT,
    stdio: "ignore",
  });
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
