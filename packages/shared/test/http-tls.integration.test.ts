import { execFileSync } from "node:child_process";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTls, createServer, type TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { VirtualClock } from "../src/clock/virtual-clock.ts";
import { CERTIFICATE_A as A, CERTIFICATE_B as B } from "../src/testing/certificates.ts";
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

test.each(["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST "])(
  "Q-161: plain HTTP on a TLS port is told so, and the port goes on: %j",
  async (text) => {
    await using origin = await RawOrigin.start((peer) => peer.write(OK));
    await using hop = await Hop.start(origin, { server: { certificate: A } });
    const plain = await hop.connect();
    plain.write(text);
    await plain.ended();
    expect(plain.received).toBe(
      "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
    );
    const { peer } = await secure(hop, A.cert);
    peer.write(GET);
    await peer.take("\r\n\r\nok");
    expect(hop.exchanges.length).toBe(1);
  },
);

test("a TLS client that says nothing, leaves or stays in its handshake is gone by the deadline, or with the server", async () => {
  const clock = new VirtualClock();
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin, {
    clock,
    server: { certificate: A, tlsSettings: { handshakeMs: 60_000 } },
  });
  const [left, silent, stuck] = [await hop.connect(), await hop.connect(), await hop.connect()];
  left.end();
  await left.ended();
  stuck.write("\x16\x03\x01");
  const other = await secure(hop, A.cert); // accepted behind them
  await clock.advanceAsync(60_010);
  await silent.ended();
  expect(stuck.isClosed).toBe(false); // TLS has a clock of its own
  await hop.server.close();
  await Promise.all([stuck.ended(), other.peer.ended()]);
});

test("Q-160: versions, suites and groups are those of the settings, also behind a new certificate", async () => {
  await using origin = await RawOrigin.start();
  const tlsSettings = {
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.2",
    ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
    curves: "P-384",
  } as const;
  await using old = await Hop.start(origin, { server: { certificate: A, tlsSettings } });
  for (const certificate of [A, B]) {
    old.server.setCertificate(certificate);
    const { socket } = await secure(old, certificate.cert);
    expect(socket.getProtocol()).toBe("TLSv1.2");
    expect(socket.getCipher().name).toMatch(/^ECDHE-(?:ECDSA|RSA)-AES128-GCM-SHA256$/);
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: "secp384r1" });
  }
  await using recent = await Hop.start(origin, {
    server: { certificate: A, tlsSettings: { minVersion: "TLSv1.3" } },
  });
  expect((await secure(recent, A.cert)).socket.getProtocol()).toBe("TLSv1.3");
  await expect(secure(recent, A.cert, undefined, undefined, "TLSv1.2")).rejects.toThrow();
});

test("a process that meets neither TLS nor HTTP/2 loads neither", () => {
  const program = `
    const { HttpServer } = await import("./src/http/server.ts");
    const { UpstreamPool } = await import("./src/http/upstream-pool.ts");
    const { RealClock } = await import("./src/clock/real-clock.ts");
    const clock = new RealClock();
    const pool = new UpstreamPool({ clock, random: { next: () => 0, integer: () => 0 } }, { ip: "127.0.0.1", port: 9 });
    const server = await HttpServer.start(
      { clock, context: () => undefined, handler: (exchange) => exchange.forward(pool) },
      { ip: "127.0.0.1", port: 0 },
    );
    const answer = await new Promise((resolve) => {
      const socket = process.getBuiltinModule("node:net").connect(server.address.port, "127.0.0.1");
      socket.once("data", (bytes) => resolve(bytes.toString().split(" ")[1]));
      socket.write("GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n");
    });
    const loaded = process.moduleLoadList.filter((name) => /^NativeModule (?:tls|http|http2|https|crypto)$/.test(name));
    process.stdout.write(JSON.stringify([answer, ...loaded]));
    process.exit();`;
  const out = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: new URL("..", import.meta.url),
  });
  expect(JSON.parse(out.toString())).toEqual(["502"]);
});

async function secure(
  hop: Hop,
  ca: string,
  protocols?: readonly string[],
  own?: { readonly cert: string; readonly key: string },
  maxVersion: "TLSv1.2" | "TLSv1.3" = "TLSv1.3",
): Promise<{ readonly peer: RawPeer; readonly socket: TLSSocket }> {
  const socket = connectTls({
    host: "127.0.0.1",
    port: hop.server.address.port,
    ca,
    checkServerIdentity: () => undefined,
    maxVersion,
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
