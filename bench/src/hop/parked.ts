import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ACTIVATOR_ALLOCATOR } from "@rouse/shared/testing";
import { type BenchmarkOptions, type Result, result } from "../benchmark.ts";
import { http1Load } from "./load.ts";
import { freePort, PinnedProcess } from "./process.ts";
import { nodeCommand, type Place } from "./targets.ts";

const ROUNDS = { quick: 1, full: 3 } as const;
/** A process at rest looks at its memory every ten seconds. */
const REST_MS = 22_000;
const LOAD_SECONDS = 3;

/** What holds the requests: Node itself, which is the floor, and the engine. */
const HOLDERS = ["holder", "engine"];

interface Round {
  readonly parkedKib: number;
  /** Nobody is there any more, and the process has come to rest. */
  readonly restKib: number;
}

interface Holding {
  readonly beforeKib: number;
  readonly rounds: readonly Round[];
}

/**
 * What requests cost that are held: `/park` keeps them until their clients leave. Before and after it is measured at rest,
 * behind a while of load, with what the process does for its memory by itself (`IdleMemory`); nothing is forced from
 * outside. Several times over, since only a leak grows each time.
 */
export async function runParked(
  place: Omit<Place, "port" | "protocol">,
  options: BenchmarkOptions,
  cores: { readonly hop: number; readonly load: number },
): Promise<readonly Result[]> {
  const count = options.isQuick ? 2_000 : 10_000;
  const results: Result[] = [];
  for (const name of HOLDERS) {
    const { beforeKib, rounds } = await hold(name, count, place, options, cores);
    for (const [index, { parkedKib, restKib }] of rounds.entries()) {
      const title = `${count} parked requests, ${name}, round ${index + 1}`;
      results.push(
        result(`${title}: more memory`, "MiB", (parkedKib - beforeKib) / 1_024),
        result(`${title}: each`, "KiB", (parkedKib - beforeKib) / count),
        result(`${title}: memory at rest afterwards`, "MiB", restKib / 1_024, {
          baseline: beforeKib / 1_024,
        }),
      );
    }
  }
  return results;
}

async function hold(
  name: string,
  count: number,
  place: Omit<Place, "port" | "protocol">,
  { isQuick, progress }: BenchmarkOptions,
  cores: { readonly hop: number; readonly load: number },
): Promise<Holding> {
  const port = await freePort();
  const command = nodeCommand(name, { ...place, port, protocol: "h1" });
  const env = { ...command.env, ...ACTIVATOR_ALLOCATOR }; // as who holds requests
  await using held = await PinnedProcess.start({ ...command, env }, cores.hop);
  const rest = async (): Promise<number> => {
    const plan = { port, path: "/", connections: 64, postBytes: 0, headers: {}, seconds: LOAD_SECONDS };
    await http1Load({ ...plan, folder: place.folder, core: cores.load });
    await sleep(REST_MS);
    return held.anonymousKib();
  };
  const beforeKib = await rest();
  const rounds: Round[] = [];
  for (let round = 1; round <= (isQuick ? ROUNDS.quick : ROUNDS.full); round++) {
    const clients = await Promise.all(Array.from({ length: count }, () => request(port, "/park")));
    while ((await answer(port, "/parked")) !== String(count)) progress(`parking ${count} requests`);
    const parkedKib = held.anonymousKib();
    for (const client of clients) client.destroy();
    while ((await answer(port, "/connections")) !== "1") progress("clients leave");
    const restKib = await rest();
    rounds.push({ parkedKib, restKib });
    progress(`${name}, round ${round}: ${beforeKib} KiB before, ${parkedKib} with them, ${restKib} after`);
  }
  return { beforeKib, rounds };
}

function request(port: number, path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, () => resolve(socket));
    });
  });
}

async function answer(port: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { Connection: "close" } });
  return response.text();
}
