import { connect as connectHttp2, createSecureServer, type Http2SecureServer } from "node:http2";
import { request } from "node:https";
import { connect as connectPlain } from "node:net";
import { connect } from "node:tls";
import {
  endpoint,
  issueCertificate,
  makeAuthority,
  RealClock,
  revisionKey,
  type UpstreamTls,
} from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { turn, World } from "./world.ts";

const key = revisionKey({ namespace: "default", name: "hello-00001" });
const now = new RealClock().wall();
const authority = makeAuthority(now, "authority");
const stranger = makeAuthority(now, "stranger");
const podNames = ["data-plane.knative.dev", "kn-user-default"];

/** Its own certificate and trust, as the system namespace would say it. */
function certificates() {
  const issue = (hosts: readonly string[]) => issueCertificate(authority, { hosts, now });
  const told: { follow: (next: { cert: string; key: string }) => void } = { follow: () => {} };
  const trust = { ca: [authority.cert] as readonly string[] };
  return {
    trust,
    change: () => {
      const next = issue(["kn-routing"]);
      told.follow(next);
      return next;
    },
    certificate: issue(["kn-routing"]),
    follow: (listener: typeof told.follow): void => {
      told.follow = listener;
    },
    toPodsOf: (namespace: string): UpstreamTls => ({
      ca: trust.ca,
      serverName: "data-plane.knative.dev",
      requiredName: `kn-user-${namespace}`,
      minVersion: "TLSv1.3",
      assumesHttp2: true,
    }),
  };
}

/** Pods behind a TLS port of their own address: who they are by their certificates. */
async function pod(at: { ip: string; port: number }, hosts = podNames, from = authority) {
  const { cert, key: privateKey } = issueCertificate(from, { hosts, now });
  const server: Http2SecureServer = createSecureServer({ cert, key: privateKey, allowHTTP1: true });
  server.on("request", (asked, response) => {
    const host = String(asked.headers.host ?? asked.headers[":authority"]);
    response.end(JSON.stringify({ host, version: asked.httpVersion }));
  });
  server.on("upgrade", (_, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(at.port, at.ip, resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function setUp(hosts?: readonly string[], from = authority) {
  const ip = "127.0.0.1";
  const securePodPort = await pod({ ip, port: 0 }, hosts === undefined ? podNames : [...hosts], from);
  const own = certificates();
  const world = await World.start(
    { securePodPort, secure: { port: 0, settings: {} } },
    { certificates: own },
  );
  await world.createRevision({ containerConcurrency: 0 });
  world.activator.podReady(key, endpoint({ ip, port: 8_012 }));
  return { world, own, securePodPort };
}

test("A-1, A-121: pods are spoken to by TLS on their port for it, and clients on the cleartext port as before", async () => {
  const { world, securePodPort } = await setUp();
  await using _ = world;
  const answer = await world.call();
  expect([answer.status, JSON.parse(answer.body)]).toEqual([
    200,
    { host: `127.0.0.1:${securePodPort}`, version: "1.1" },
  ]);
});

test.each([
  { what: "of another namespace", hosts: ["data-plane.knative.dev", "kn-user-elsewhere"], from: authority },
  { what: "with another server name", hosts: ["kn-user-default"], from: authority },
  { what: "from an authority nobody trusts", hosts: podNames, from: stranger },
])(
  "A-124: a pod with a certificate $what is no pod: 502",
  async ({ hosts, from }) => {
    const { world } = await setUp(hosts, from);
    await using _ = world;
    const call = world.call();
    expect((await call).status).toBe(502);
  },
  60_000,
);

test("A-1, A-123: clients may speak TLS, and see the certificate there is now", async () => {
  const { world, own } = await setUp();
  await using _ = world;
  const port = world.activator.httpsPort ?? 0;
  const shown = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(
        { host: "127.0.0.1", port, ca: authority.cert, servername: "kn-routing" },
        () => {
          resolve(socket.getPeerX509Certificate()?.serialNumber ?? "");
          socket.destroy();
        },
      );
      socket.on("error", reject);
    });
  const first = await shown();
  const body = await new Promise<string>((resolve, reject) => {
    const headers = { "Knative-Serving-Revision": "hello-00001", "Knative-Serving-Namespace": "default" };
    const to = {
      host: "127.0.0.1",
      port,
      servername: "kn-routing",
      ca: authority.cert,
      headers,
      agent: false,
    };
    const sent = request(to, (response) => {
      let text = "";
      response.on("data", (part: Buffer) => (text += part.toString()));
      response.on("end", () => resolve(text));
    });
    sent.on("error", reject);
    sent.end();
  });
  expect(JSON.parse(body)).toMatchObject({ version: "1.1" });
  own.change();
  expect(await shown()).not.toBe(first);
});

test("A-123: whom we trust is asked at each connection", async () => {
  const { world, own } = await setUp();
  await using _ = world;
  own.trust.ca = [stranger.cert];
  const refused = world.call();
  while (world.held > 0) await turn();
  expect((await refused).status).toBe(502);
  own.trust.ca = [authority.cert];
  expect((await world.call()).status).toBe(200);
}, 60_000);

test("A-126: HTTP/2 in is HTTP/2 out by TLS, and an upgrade is one", async () => {
  const { world } = await setUp();
  await using _ = world;
  const session = connectHttp2(`http://127.0.0.1:${world.activator.address.port}`);
  onTestFinished(() => session.destroy());
  const body = await new Promise<string>((resolve, reject) => {
    const stream = session.request({
      ":path": "/",
      "knative-serving-revision": "hello-00001",
      "knative-serving-namespace": "default",
    });
    let text = "";
    stream.on("data", (part: Buffer) => (text += part.toString()));
    stream.on("end", () => resolve(text));
    stream.on("error", reject);
  });
  expect(JSON.parse(body)).toMatchObject({ version: "2.0" });
  const { ip, port } = world.activator.address;
  const socket = connectPlain(port, ip);
  onTestFinished(() => void socket.destroy());
  const named = "Knative-Serving-Revision: hello-00001\r\nKnative-Serving-Namespace: default\r\n";
  socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${named}Connection: Upgrade\r\nUpgrade: echo\r\n\r\n`);
  let text = "";
  socket.on("data", (part: Buffer) => (text += part.toString("latin1")));
  while (!text.includes("\r\n\r\n")) await turn();
  socket.write("hello");
  while (!text.endsWith("hello")) await turn();
  expect(text).toContain("101 Switching Protocols");
});
