import { writeSync } from "node:fs";
import { RealClock, RealRandom, SeededRandom, silentLogger } from "@rouse/shared";
import { ApiServer } from "../../src/api-server/api-server.ts";
import { ApiHandler } from "../../src/api-server/wire/api-handler.ts";

/**
 * Writes at random until it is killed, and says what was answered: a line `name value` for a write of a ConfigMap, with
 * `-` for its deletion. Arguments: data directory, seed, writes.
 */
const [dataDir = "", seed = "1", writes = "1000"] = process.argv.slice(2);

const clock = new RealClock();
const server = await ApiServer.start({ clock, random: new RealRandom(), log: silentLogger }, { dataDir });
const handler = new ApiHandler({
  store: server.store,
  clock,
  random: new RealRandom(),
  log: silentLogger,
  podOutput: {
    lines: () => undefined,
    previous: () => undefined,
    follow: () => ({ [Symbol.dispose]: () => {} }),
  },
  durable: () => server.durable(),
});
const random = new SeededRandom(Number(seed));
const MAPS = "/api/v1/namespaces/default/configmaps";
const COLUMNS = 8;

/** Before anything else happens: `process.stdout` keeps for later what a reader that is behind has no room for. */
function say(line: string): void {
  writeSync(1, line);
}

async function send(method: string, path: string, body: unknown): Promise<number> {
  const bytes = Buffer.from(body === undefined ? "" : JSON.stringify(body));
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const answer = await handler.handle({
    method,
    url: path,
    header: (name) => (name === "content-type" ? type : undefined),
    body: async () => bytes,
  });
  return answer.status;
}

/** One object's writes follow one another, those of different objects overlap, as those of several clients do. */
async function column(index: number): Promise<void> {
  const name = `map-${index}`;
  for (let write = 0; write < Number(writes) / COLUMNS; write++) {
    const value = String(random.integer(0, 1_000_000_000));
    const padding = "x".repeat(random.integer(0, 2_000));
    const body = { metadata: { name }, data: { value, padding, check: `${value}/${padding.length}` } };
    const isDelete = random.integer(0, 9) === 0;
    say(`try ${name} ${isDelete ? "-" : value}\n`);
    let status = isDelete
      ? await send("DELETE", `${MAPS}/${name}`, undefined)
      : await send("PATCH", `${MAPS}/${name}`, body);
    if (status === 404 && !isDelete) status = await send("POST", MAPS, body);
    if (status < 300 || status === 404) say(`${name} ${isDelete ? "-" : value}\n`);
    else say(`failed ${name} ${status}\n`);
  }
}

await Promise.all(Array.from({ length: COLUMNS }, (_, index) => column(index)));
say("done\n");
await server.close();
