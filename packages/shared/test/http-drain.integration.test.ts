import { expect, test } from "vitest";
import { VirtualClock } from "../src/clock/virtual-clock.ts";
import { Hop, RawOrigin, type RawPeer } from "./http-harness.ts";

const CLOSE = "\x88\x02\x03\xe9";
const HELLO = "\x81\x05hello";
/** Of a client: masked with zeros. */
const CLIENT_CLOSE = "\x88\x82\0\0\0\0\x03\xe9";

async function tunnel(hop: Hop, origin: RawOrigin, protocol = "websocket") {
  const client = await hop.connect();
  client.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
  const upstream = await origin.peer(origin.peers.length);
  await upstream.take("\r\n\r\n");
  upstream.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
  await client.take("\r\n\r\n");
  return { client, upstream };
}

test("at the drain's end a WebSocket's client reads close code 1001 behind the frame that is under way, and its answer reaches the upstream", async () => {
  const clock = new VirtualClock();
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, { clock });
  const { client, upstream } = await tunnel(hop, origin);
  upstream.write(`${HELLO}\x81\x05wo`);
  await client.take("\x81\x05wo");
  const drained = hop.server.drain({ tunnelsCloseAfterMs: 20_000 });
  await clock.advanceAsync(19_999);
  await passes(client, upstream);
  expect(client.received).toBe("");
  await clock.advanceAsync(1);
  await passes(client, upstream);
  expect(client.received).toBe("");
  upstream.write(`rld${HELLO}`);
  expect(await client.take(CLOSE)).toBe(`rld${CLOSE}`);
  client.write(CLIENT_CLOSE);
  await upstream.take(CLIENT_CLOSE);
  upstream.write(CLOSE);
  upstream.end();
  await client.ended();
  expect(client.received).toBe("");
  client.end();
  await drained;
  expect(hop.ended).toMatchObject([{ status: 101, outcome: { kind: "completed" } }]);
  await hop.server.close();
  hop.pool.close();
  expect(clock.pendingTimers).toBe(0);
});

test("between two frames it is said at once; a client that stays all the same is cut after a while", async () => {
  const clock = new VirtualClock();
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, { clock });
  const { client, upstream } = await tunnel(hop, origin);
  const drained = hop.server.drain({ tunnelsCloseAfterMs: 0 });
  await clock.advanceAsync(0);
  await client.take(CLOSE);
  await clock.advanceAsync(11_000);
  await drained;
  await Promise.all([client.ended(), upstream.ended()]);
});

test("a tunnel of anything else is left alone, and so is a WebSocket without such a drain (Q-120)", async () => {
  const clock = new VirtualClock();
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, { clock });
  const other = await tunnel(hop, origin, "chat");
  const webSocket = await tunnel(hop, origin);
  void hop.server.drain();
  await clock.advanceAsync(100_000);
  await passes(webSocket.client, webSocket.upstream);
  hop.server.closeTunnels();
  await webSocket.client.take(CLOSE);
  await passes(other.client, other.upstream);
  expect(other.client.received).toBe("");
});

test("a WebSocket that opens while tunnels are being closed is told at once", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  hop.server.closeTunnels();
  const { client } = await tunnel(hop, origin);
  await client.take(CLOSE);
});

/** What was on the way from the upstream has arrived when its client's word has gone the other way. */
async function passes(client: RawPeer, upstream: RawPeer): Promise<void> {
  client.write("?");
  await upstream.take("?");
}
