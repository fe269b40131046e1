import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { SpareShells } from "./spare-shells.ts";

/** Two ends of one connection: the platform's, and the one a shell would read. */
async function pair(): Promise<{ readonly ours: Socket; readonly shell: Socket }> {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const ours = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [shell] = (await once(server, "connection")) as [Socket];
  onTestFinished(() => void shell.destroy());
  return { ours, shell };
}

test("the oldest is told the whole line and left; without any, nobody is", async () => {
  const shells = new SpareShells(() => expect.fail("none of them ended"));
  const [first, second] = [await pair(), await pair()];
  shells.add(1, first.ours);
  shells.add(2, second.ours);

  expect(shells.tell("line one")).toBe(1);
  expect(await text(first.shell)).toBe("line one");
  expect(shells.tell("line two")).toBe(2);
  expect(await text(second.shell)).toBe("line two");
  expect(shells.tell("line three")).toBeUndefined();
});

test("a line that is not taken at once arrives whole all the same", async () => {
  const shells = new SpareShells(() => {});
  const { ours, shell } = await pair();
  shells.add(1, ours);
  const line = "x".repeat(8_000_000);

  shells.tell(line);

  expect((await text(shell)).length).toBe(line.length);
});

test("one that ends before it is of use is told of, and not used", async () => {
  const ended = Promise.withResolvers<number>();
  const shells = new SpareShells(ended.resolve);
  const { ours, shell } = await pair();
  shells.add(7, ours);

  shell.destroy();

  expect(await ended.promise).toBe(7);
  expect(shells.count).toBe(0);
  expect(shells.tell("line")).toBeUndefined();
});

test("closed, it leaves all of them", async () => {
  const shells = new SpareShells(() => expect.fail("they were left, and did not end"));
  const { ours, shell } = await pair();
  shells.add(1, ours);

  shells[Symbol.dispose]();

  expect(await text(shell)).toBe("");
  expect(shells.count).toBe(0);
});
