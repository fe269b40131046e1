import { connect, type Socket } from "node:net";
import { type BenchmarkOptions, type Result, result } from "../benchmark.ts";
import { http1Load } from "./load.ts";
import { freePort, PinnedProcess } from "./process.ts";
import { nodeCommand, type Place } from "./targets.ts";

const ROUNDS = 3;

/**
 * What requests cost that are held: the engine's `/park` keeps them until their clients leave. Several times over, and each
 * time as it is and collected: V8 keeps the pages of a burst while there is load, so only the second figure tells a leak.
 */
export async function runParked(
  place: Omit<Place, "port" | "protocol">,
  { isQuick, progress }: BenchmarkOptions,
  cores: { readonly hop: number; readonly load: number },
): Promise<readonly Result[]> {
  const count = isQuick ? 2_000 : 10_000;
  const port = await freePort();
  const at = { ...place, port, protocol: "h1" as const };
  const command = nodeCommand("engine", at);
  await using hopped = await PinnedProcess.start(
    { ...command, args: ["--expose-gc", ...command.args] }, // for the second figure alone
    cores.hop,
  );
  const load = async (seconds: number): Promise<void> => {
    const plan = { port, path: "/", connections: 64, seconds, postBytes: 0, headers: {} };
    await http1Load({ ...plan, folder: place.folder, core: cores.load });
  };
  await load(3);
  const before = await memoryOf(hopped, port);
  const results: Result[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const clients = await Promise.all(Array.from({ length: count }, () => request(port, "/park")));
    while ((await answer(port, "/parked")) !== String(count)) progress(`parking ${count} requests`);
    const parkedKib = hopped.anonymousKib();
    await answer(port, "/collect");
    const heldKib = hopped.anonymousKib();
    for (const client of clients) client.destroy();
    while ((await answer(port, "/connections")) !== "1") progress("clients leave");
    await load(3);
    const after = await memoryOf(hopped, port);
    const name = `${count} parked requests, round ${round}`;
    progress(`${name}: ${before.used} KiB before, ${parkedKib} with them, ${after.used} after`);
    results.push(
      result(`${name}: memory`, "MiB", (parkedKib - before.used) / 1_024),
      result(`${name}: memory, garbage collected`, "MiB", (heldKib - before.collected) / 1_024),
      result(`${name}: each, garbage collected`, "KiB", (heldKib - before.collected) / count),
      result(`after round ${round}: memory`, "MiB", after.used / 1_024, { baseline: before.used / 1_024 }),
      result(`after round ${round}: memory, garbage collected`, "MiB", after.collected / 1_024, {
        baseline: before.collected / 1_024,
      }),
    );
  }
  return results;
}

/** As it is, and once its garbage has been collected. */
async function memoryOf(
  hopped: PinnedProcess,
  port: number,
): Promise<{ readonly used: number; readonly collected: number }> {
  const used = hopped.anonymousKib();
  await answer(port, "/collect");
  return { used, collected: hopped.anonymousKib() };
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
