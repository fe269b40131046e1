import { connect as connectHttp2 } from "node:http2";
import { connect as connectTls, createServer, type TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { A, B } from "./certificates.ts";
import { Hop, RawOrigin, RawPeer } from "./http-harness.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nok";

test("a TLS listener serves HTTP/1.1 by ALPN and without, and says the client is on TLS", async () => {
  await using origin = await RawOrigin.start((peer) => peer.write(OK));
  await using hop = await Hop.start(origin, { server: { certificate: A } });
  for (const protocols of [["http/1.1"], undefined]) {
    const { peer, socket } = await secure(hop, A.cert, protocols);
    expect(socket.alpnProtocol).toBe(protocols === undefined ? false : "http/1.1");
    peer.write(GET);
    await peer.take("\r\n\r\nok");
  }
  expect(hop.exchanges.map(({ client }) => client.isTls)).toEqual([true, true]);
});

test("a TLS listener serves HTTP/2 by ALPN", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, {
    server: { certificate: A },
    handler: () => (exchange) => exchange.respond({ status: 200, body: exchange.request.version }),
  });
  const session = connectHttp2(`https://127.0.0.1:${hop.server.address.port}`, {
    ca: A.cert,
    servername: "a.example",
  });
  const stream = session.request({ ":path": "/" });
  let body = "";
  stream.on("data", (bytes: Buffer) => {
    body += bytes.toString();
  });
  await new Promise<void>((resolve) => stream.once("end", () => resolve()));
  expect(body).toBe("2.0");
  session.destroy();
});

test("a certificate changes at run time: new connections see it, old ones go on", async () => {
  await using origin = await RawOrigin.start((peer) => peer.write(OK));
  await using hop = await Hop.start(origin, { server: { certificate: A } });
  const before = await secure(hop, A.cert);
  hop.server.setCertificate(B);
  const after = await secure(hop, B.cert);
  expect([nameOf(before.socket), nameOf(after.socket)]).toEqual(["a.example", "b.example"]);
  for (const { peer } of [before, after]) {
    peer.write(GET);
    await peer.take("\r\n\r\nok");
  }
});

test("a client that leaves its TLS connection ends what it asked for (Q-39)", async () => {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, { server: { certificate: A } });
  const { peer } = await secure(hop, A.cert);
  peer.write(GET);
  await (await origin.peer(0)).take("\r\n\r\n");
  peer.socket.destroy();
  await (await origin.peer(0)).ended();
  await hop.until(() => hop.ended.length === 1);
  expect(hop.ended[0]?.outcome.kind).toBe("client-closed");
});

test("an upstream on TLS is reached, kept alive, and refused when its certificate is another's", async () => {
  const upstream = createServer(A, (socket) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.write(OK));
  });
  const sockets = new Set<TLSSocket>();
  upstream.on("secureConnection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", () => resolve()));
  const address = upstream.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const to = { ip: "127.0.0.1", port: address.port };
  {
    let isTrusted = true;
    const tls = () => ({ ca: [isTrusted ? A.cert : B.cert], serverName: "a.example" });
    await using hop = await Hop.start(to, { pool: { tls } });
    const client = await hop.connect();
    for (let n = 0; n < 2; n++) {
      client.write(GET);
      await client.take("\r\n\r\nok");
    }
    expect(sockets.size).toBe(1);
    isTrusted = false;
    hop.pool.close(); // nothing pooled is left, so the next one connects anew
    client.write(GET);
    expect(await client.take("\r\n\r\n")).toContain("HTTP/1.1 502 ");
  }
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => upstream.close(() => resolve()));
});

test("a listener that asks for clients' certificates serves those with one from its authority, and nobody else", async () => {
  await using origin = await RawOrigin.start((peer) => peer.write(OK));
  await using hop = await Hop.start(origin, { server: { certificate: { ...A, clientCa: B.cert } } });
  const known = await secure(hop, A.cert, undefined, B);
  known.peer.write(GET);
  await known.peer.take("\r\n\r\nok");
  for (const own of [undefined, A]) {
    // In TLS 1.3 the client is through before the server has looked at its certificate.
    const stranger = await secure(hop, A.cert, undefined, own);
    stranger.peer.write(GET);
    await stranger.peer.ended();
    expect(stranger.peer.received).toBe("");
  }
  expect(hop.exchanges.length).toBe(1);
});

async function secure(
  hop: Hop,
  ca: string,
  protocols?: readonly string[],
  own?: { readonly cert: string; readonly key: string },
): Promise<{ readonly peer: RawPeer; readonly socket: TLSSocket }> {
  const socket = connectTls({
    host: "127.0.0.1",
    port: hop.server.address.port,
    ca,
    checkServerIdentity: () => undefined,
    ...own,
    ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", () => resolve());
    socket.once("error", reject);
  });
  return { peer: new RawPeer(socket), socket };
}

function nameOf(socket: TLSSocket): string {
  return String(socket.getPeerCertificate().subject.CN);
}
