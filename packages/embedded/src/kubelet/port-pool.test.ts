import { once } from "node:events";
import { createServer } from "node:net";
import { SeededRandom } from "@rouse/shared";
import { expect, test } from "vitest";
import { PortPool } from "./port-pool.ts";

const take = (pool: PortPool): Promise<number> => new Promise((resolve) => pool.take(resolve));

test("a reserved port is given at once, free to be listened on, and not to be had elsewhere before", async () => {
  await using pool = await PortPool.start({ random: new SeededRandom(7) }, { size: 2 });
  let port = 0;
  pool.take((given) => {
    port = given;
  });
  expect(port).toBeGreaterThanOrEqual(10_000);
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  server.close();
});

test("a burst beyond the reserve gets different ports all the same, none of them of the system's own range", async () => {
  await using pool = await PortPool.start({ random: new SeededRandom(8) }, { size: 2 });
  const ports = await Promise.all(Array.from({ length: 40 }, () => take(pool)));
  expect(new Set(ports).size).toBe(40);
  expect(Math.max(...ports)).toBeLessThan(32_768 + 1);
});

test("a taken port is skipped", async () => {
  const first = await PortPool.start({ random: new SeededRandom(9) }, { size: 1 });
  const port = await take(first);
  await first[Symbol.asyncDispose]();
  const holder = createServer().listen(port, "127.0.0.1");
  await once(holder, "listening");
  await using second = await PortPool.start({ random: new SeededRandom(9) }, { size: 1 });
  expect(await take(second)).not.toBe(port);
  holder.close();
});
