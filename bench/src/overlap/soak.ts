import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { SeededRandom } from "@rouse/shared";
import { SIDECAR_ALLOCATOR, SIDECAR_ENVIRONMENT } from "@rouse/shared/testing";

export interface SoakOptions {
  readonly root: string;
  readonly seconds: number;
  readonly perSecond: number;
  readonly progress: (line: string) => void;
  /** Places of the sidecar; one unless the detector itself is to be checked. */
  readonly places?: number;
  /** Flags of Node for the sidecar. */
  readonly flags?: readonly string[];
}

export interface SoakResult {
  readonly overlaps: number;
  readonly sent: number;
  readonly answered: number;
  readonly turnedAway: number;
  readonly left: number;
  readonly other: number;
  readonly idleKib: number;
  readonly loadedKib: number;
  readonly residentKib: number;
  readonly cpuUsPerRequest: number;
}

/** One in ten clients leaves, within this of asking. */
const LEAVES = 0.1;
const LEAVES_WITHIN_MS = 3;
const SEED = 1;
/** Turns of the event loop after which the end of an earlier connection has been seen. */
const JUDGED_AFTER_TURNS = 2;
const TICK_US = 10_000;
const IDLE_MS = 2_000;
const SAMPLE_MS = 1_000;
const REPORT_MS = 30_000;
const SETTLE_MS = 500;

/** Runs the built sidecar with one place in front of a program that notices company, and asks at a fixed rate. */
export async function soak({
  root,
  seconds,
  perSecond,
  progress,
  places = 1,
  flags = [],
}: SoakOptions): Promise<SoakResult> {
  const built = spawnSync(process.execPath, [join(root, "scripts/build.ts"), "queue-proxy"], {
    encoding: "utf8",
  });
  if (built.status !== 0) throw new Error(built.stderr);
  await using program = await watchfulProgram();
  const ip = `127.${200 + Math.floor(Math.random() * 50)}.${1 + (process.pid % 250)}.1`;
  const child = spawn(process.execPath, [...flags, join(root, "packages/queue-proxy/dist/main.cjs")], {
    env: { ...environment(program.port), CONTAINER_CONCURRENCY: String(places), ROUSE_LISTEN_IP: ip },
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    while (!(await isOpen(ip))) if (child.exitCode !== null) throw new Error("the sidecar has ended");
    const pid = child.pid ?? 0;
    await passed(IDLE_MS);
    const idleKib = memoryKib(pid, "RssAnon");
    const cpuBeforeUs = cpuUs(pid);
    const load = new Load(ip, perSecond);
    let [loadedKib, residentKib] = [0, 0];
    const sampler = setInterval(() => {
      loadedKib = Math.max(loadedKib, memoryKib(pid, "RssAnon"));
      residentKib = Math.max(residentKib, memoryKib(pid, "VmRSS"));
    }, SAMPLE_MS);
    const reporter = setInterval(
      () => progress(`${load.sent} sent, ${program.overlaps()} overlaps`),
      REPORT_MS,
    );
    await load.run(seconds * 1_000);
    clearInterval(sampler);
    clearInterval(reporter);
    const cpuUsPerRequest = (cpuUs(pid) - cpuBeforeUs) / Math.max(1, load.sent);
    const { sent, answered, turnedAway, left, other } = load;
    return {
      overlaps: program.overlaps(),
      ...{ sent, answered, turnedAway, left, other },
      ...{ idleKib, loadedKib, residentKib, cpuUsPerRequest },
    };
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

/**
 * A program that has company whenever a request comes while another is not answered yet, unless that one's connection
 * is gone: the sidecar gives the place on at once. Whether it is gone is asked a little later, as its end may be
 * in the same batch of events.
 */
async function watchfulProgram() {
  const unanswered = new Set<{ isGone: boolean }>();
  let overlaps = 0;
  const server = createServer((_, response) => {
    const own = { isGone: false };
    const others = [...unanswered];
    unanswered.add(own);
    response.once("close", () => {
      own.isGone = !response.writableFinished;
      unanswered.delete(own);
    });
    turns(JUDGED_AFTER_TURNS, () => {
      if (others.some(({ isGone }) => !isGone)) overlaps++;
      unanswered.delete(own); // what comes now may come: the answer is on its way
      response.end("done");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    overlaps: () => overlaps,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function turns(count: number, run: () => void): void {
  if (count === 0) run();
  else setImmediate(() => turns(count - 1, run));
}

/** Asks at a fixed rate whatever the answers do, and leaves one in ten of them alone. */
class Load {
  sent = 0;
  answered = 0;
  turnedAway = 0;
  left = 0;
  other = 0;
  readonly #ip: string;
  readonly #perSecond: number;
  /** Who leaves, and when, is the same in every run. */
  readonly #random = new SeededRandom(SEED);
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(ip: string, perSecond: number) {
    this.#ip = ip;
    this.#perSecond = perSecond;
  }

  async run(durationMs: number): Promise<void> {
    const startMs = performance.now();
    for (let at = startMs; at - startMs < durationMs; at = performance.now()) {
      const due = Math.floor(((at - startMs) / 1_000) * this.#perSecond);
      // What a pause of ours has put off is not made up for: a burst of it would only fill the queue.
      for (let burst = Math.min(due - this.sent, 10); burst > 0; burst--) this.#ask();
      await passed(1);
    }
    await passed(SETTLE_MS); // for those under way
    this.#agent.destroy();
  }

  #ask(): void {
    this.sent++;
    let isLeaving = false;
    const sent = request({ host: this.#ip, port: 8012, agent: this.#agent }, (response) => {
      response.resume();
      response.on("error", () => {});
      response.once("end", () => {
        if (response.statusCode === 200) this.answered++;
        else if (response.statusCode === 503) this.turnedAway++;
        else this.other++;
      });
    });
    sent.on("error", () => {
      if (!isLeaving) this.other++;
    });
    if (this.#random.chance(LEAVES)) {
      setTimeout(() => {
        if (sent.destroyed) return;
        isLeaving = true;
        this.left++;
        sent.destroy();
      }, this.#random.next() * LEAVES_WITHIN_MS);
    }
    sent.end();
  }
}

function environment(userPort: number): Record<string, string> {
  return {
    ...SIDECAR_ENVIRONMENT,
    ...SIDECAR_ALLOCATOR,
    USER_PORT: String(userPort),
    SERVING_READINESS_PROBE: "",
    SERVING_LOGGING_LEVEL: "fatal",
  };
}

function memoryKib(pid: number, name: "RssAnon" | "VmRSS"): number {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
}

function cpuUs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

function isOpen(ip: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port: 8012 });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => setTimeout(() => resolve(false), 10));
  });
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
