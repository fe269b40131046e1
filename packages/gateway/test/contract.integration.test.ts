import { once } from "node:events";
import { request } from "node:http";
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type ServerHttp2Session,
} from "node:http2";
import { connect as connectNet, createServer as createNetServer, type Socket } from "node:net";
import { type Ingress, IngressKind, objectKey } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { ingressHash } from "../src/route/ingress-hash.ts";
import { path, World } from "./support/world.ts";

/** What an ingress of Knative has to do, asked from outside over sockets. C §9.2 */
const HOST = "hello.example.com";
const only = (...paths: Ingress["spec"]["rules"][number]["http"]["paths"]): Ingress["spec"] => ({
  rules: [{ hosts: [HOST], http: { paths } }],
});

describe("which Service a request goes to", () => {
  test.each<{
    why: string;
    host?: string;
    url?: string;
    headers?: Record<string, string>;
    want: string | number;
  }>([
    { why: "C-106: the host", host: HOST, want: "root" },
    { why: "C-106: in any case, with any port", host: "HELLO.Example.com:81", want: "root" },
    { why: "C-105: no host at all knows it", host: "other.example.com", want: 404 },
    { why: "C-107: a prefix", url: "/foo", want: "foo" },
    { why: "C-107: literally a prefix", url: "/foobar", want: "foo" },
    { why: "C-107: the longer one first, wherever it stands", url: "/foo/bar?x=/", want: "foobar" },
    { why: "C-107: nothing of the query", url: "/?/foo", want: "root" },
    { why: "C-108: a header that fits", url: "/foo", headers: { "x-tag": "a" }, want: "tagged" },
    { why: "C-108: not with another value", url: "/foo", headers: { "X-Tag": "b" }, want: "foo" },
    { why: "C-108: not with an empty one", url: "/foo", headers: { "X-Tag": "" }, want: "foo" },
  ])("$why", async ({ host = HOST, url = "/", headers = {}, want }) => {
    await using world = await World.start();
    for (const name of ["root", "foo", "foobar", "tagged"]) await world.service(name);
    await world.route(
      "hello",
      only(
        path("root"),
        path("foo", { path: "/foo" }),
        path("tagged", { path: "/foo", headers: { "X-Tag": { exact: "a" } } }),
        path("foobar", { path: "/foo/bar" }),
      ),
    );
    const { status, body } = await world.ask({ Host: host, ...headers }, { path: url });
    expect(status === 200 ? body : status).toBe(want);
  });

  test("C-87, C-108, C-109: a tag in a header goes before the default, and the program is told which it was", async () => {
    await using world = await World.start();
    const say = { "Knative-Serving-Default-Route": "true" };
    for (const name of ["hello-00001", "hello-00002"]) {
      await world.service(
        name,
        ({ headers }) => `${headers["knative-serving-default-route"]} ${headers["knative-serving-tag"]}`,
      );
    }
    await world.route(
      "hello",
      only(
        path("hello-00001", { headers: { "Knative-Serving-Tag": { exact: "blue" } } }),
        path("hello-00002", { appendHeaders: say }),
      ),
    );
    const ask = async (tag?: string) =>
      (await world.ask({ Host: HOST, ...(tag === undefined ? {} : { "Knative-Serving-Tag": tag }) })).body;
    expect(await ask()).toBe("hello-00002 true undefined");
    expect(await ask("blue")).toBe("hello-00001 undefined blue");
    expect(await ask("green")).toBe("hello-00002 true green");
  });

  test("C-105: the public entry knows nothing of the inside, the private one both", async () => {
    const spec: Ingress["spec"] = {
      rules: [
        { hosts: ["in.default"], visibility: "ClusterLocal", http: { paths: [path("hello")] } },
        { hosts: [HOST], visibility: "ExternalIP", http: { paths: [path("hello")] } },
      ],
    };
    for (const [entry, want] of [
      ["public", [404, 200]],
      ["private", [200, 200]],
    ] as const) {
      await using world = await World.start({ entry });
      await world.service("hello");
      await world.route("hello", spec);
      const statuses = await Promise.all(["in.default", HOST].map((Host) => world.ask({ Host })));
      expect([entry, statuses.map(({ status }) => status)]).toEqual([entry, want]);
    }
  });

  test("C-111: shares are kept, and 0 % gets nothing", async () => {
    await using world = await World.start();
    for (const name of ["a", "b", "c"]) await world.service(name);
    await world.route("hello", only(path({ a: 50, b: 0, c: 50 })));
    const bodies: string[] = [];
    for (let sent = 0; sent < 400; sent++) bodies.push((await world.ask({ Host: HOST })).body);
    expect(bodies).not.toContain("b");
    expect(bodies.filter((body) => body === "a").length / 400).toBeCloseTo(0.5, 0);
    expect(Math.abs(bodies.filter((body) => body === "a").length - 200)).toBeLessThan(60); // 6 sigma
  });

  test("C-112: a port by name, and a Service that is another host's name", async () => {
    await using world = await World.start();
    const { port } = await world.upstream((_, response) => response.end("served"));
    await world.setService("named", { ports: [{ name: "http", port: 8_080, targetPort: 1 }] });
    await world.setEndpoints("named", [{ ip: "127.0.0.1", port }]);
    await world.route("hello", only(path("named", { port: "http" })));
    expect((await world.ask({ Host: HOST })).body).toBe("served");
    await world.setService("elsewhere", { type: "ExternalName", externalName: "127.0.0.1" });
    await world.route("hello", only(path("elsewhere", { port })));
    expect((await world.ask({ Host: HOST })).body).toBe("served");
  });
});

describe("what becomes of a request", () => {
  test("C-109, C-115: what is appended replaces what a client says; the rest passes unchanged", async () => {
    await using world = await World.start();
    await world.service("hello", ({ method, url, headers }) =>
      [
        method,
        url,
        headers["x-mine"],
        headers["x-path"],
        headers["knative-serving-revision"],
        headers["x-forwarded-for"],
        headers["x-forwarded-proto"],
      ].join(" "),
    );
    await world.route("hello", only(path("hello", { appendHeaders: { "X-Path": "ours" } })));
    const { body } = await world.ask(
      {
        Host: HOST,
        "X-Mine": "kept",
        "X-Path": "theirs",
        "Knative-Serving-Revision": "theirs",
        "X-Forwarded-For": "9.9.9.9",
        "Content-Length": "0",
      },
      { method: "PATCH", path: "/a/../b?c=%20d" },
    );
    expect(body).toBe("hello PATCH /a/../b?c=%20d kept ours hello 9.9.9.9, 127.0.0.1 http");
  });

  test("C-110: the host is rewritten", async () => {
    await using world = await World.start();
    await world.service("hello", ({ headers }) => String(headers.host));
    await world.route("hello", only(path("hello", { rewriteHost: "inner.example.com" })));
    expect((await world.ask({ Host: HOST })).body).toBe("hello inner.example.com");
  });

  test("C-114: a refusal of the backend reaches the client, and is asked for once", async () => {
    await using world = await World.start();
    let asked = 0;
    const address = await world.upstream((_, response) => {
      asked++;
      response.writeHead(503, { "Retry-After": "7" }).end("full");
    });
    await world.setEndpoints("hello", [address]);
    await world.route("hello", only(path("hello")));
    expect(await world.ask({ Host: HOST })).toEqual({ status: 503, body: "full" });
    expect(asked).toBe(1);
  });

  test("C-114: an upgraded connection is a tunnel, also across a split", async () => {
    await using world = await World.start();
    for (const name of ["a", "b"]) {
      const sockets = new Set<Socket>();
      const server = createNetServer((socket) => {
        sockets.add(socket);
        socket.once("data", () => {
          socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
          socket.on("data", (piece) => socket.write(`${name}:${piece.toString()}`));
        });
        socket.on("error", () => undefined);
      });
      await world.setEndpoints(name, [await world.listen(server, () => destroyAll(sockets))]);
    }
    await world.route("hello", only(path({ a: 50, b: 50 })));
    const served = new Set<string>();
    for (let turn = 0; turn < 40 && served.size < 2; turn++) {
      const { ip, port } = world.gateway.address;
      const sent = request({
        host: ip,
        port,
        headers: { Host: HOST, Connection: "Upgrade", Upgrade: "echo" },
        agent: false,
      });
      sent.end();
      const [response, socket] = (await once(sent, "upgrade")) as [{ statusCode: number }, Socket];
      expect(response.statusCode).toBe(101);
      socket.write("ping");
      const [first] = await once(socket, "data");
      socket.write("pong");
      const [second] = await once(socket, "data");
      const name = String(first).slice(0, 1);
      expect([String(first), String(second)]).toEqual([`${name}:ping`, `${name}:pong`]);
      served.add(name);
      socket.destroy();
    }
    expect(served).toEqual(new Set(["a", "b"]));
  });

  test("C-112, C-114: HTTP/2 in clear passes on the same port, streams and trailers included", async () => {
    await using world = await World.start();
    const sessions = new Set<ServerHttp2Session>();
    const server = createHttp2Server().on("session", (session) => sessions.add(session));
    server.on("stream", (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.on("data", (piece: Buffer) => stream.write(`<${piece.toString()}>`));
      stream.on("end", () => stream.end());
    });
    const address = await world.listen(server, () => destroyAll(sessions));
    await world.setEndpoints("hello", [address], "http2");
    await world.route("hello", only(path("hello", { port: 81 })));
    const { ip, port } = world.gateway.address;
    const client = connectHttp2(`http://${ip}:${port}`);
    const stream = client.request({ ":method": "POST", ":authority": HOST, ":path": "/x", te: "trailers" });
    stream.write("one");
    const [first] = await once(stream, "data");
    stream.end("two");
    const [[second], [trailers]] = await Promise.all([once(stream, "data"), once(stream, "trailers")]);
    expect([String(first), String(second), trailers["grpc-status"]]).toEqual(["<one>", "<two>", "0"]);
    client.close();
  });

  test("C-116: where there is no TLS there is nothing to be redirected to", async () => {
    await using world = await World.start();
    await world.service("hello");
    await world.route("hello", { ...only(path("hello")), httpOption: "Redirected" });
    expect((await world.ask({ Host: HOST })).status).toBe(200);
  });
});

describe("when a configuration changes", () => {
  test("C-118: shares that move under load fail nobody, and a request that runs ends where it began", async () => {
    await using world = await World.start();
    for (const name of ["a", "b"]) await world.service(name);
    const begun = Promise.withResolvers<() => void>();
    const slow = await world.upstream((_, response) => {
      response.write("begun ");
      begun.resolve(() => void response.end("ended"));
    });
    await world.setEndpoints("slow", [slow]);
    await world.route("hello", only(path("slow")));
    const running = world.ask({ Host: HOST });
    const release = await begun.promise;
    const statuses: number[] = [];
    for (let turn = 0; turn < 20; turn++) {
      const asked = Array.from({ length: 5 }, () => world.ask({ Host: HOST }));
      await world.route("hello", only(path({ a: turn * 5, b: 100 - turn * 5 })));
      if (turn > 0) statuses.push(...(await Promise.all(asked)).map(({ status }) => status));
      else asked.forEach((each) => void each.catch(() => undefined));
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
    release();
    expect(await running).toEqual({ status: 200, body: "begun ended" });
  });

  test("C-119: deleted, its hosts are unknown at once, and nothing holds it back", async () => {
    await using world = await World.start();
    await world.service("hello");
    await world.route("hello", only(path("hello")));
    expect((await world.ask({ Host: HOST })).status).toBe(200);
    await world.client.delete(IngressKind, { namespace: "default", name: "hello" });
    expect((await world.ask({ Host: HOST })).status).toBe(404);
  });

  test("C-121, C-122, CI-13: the hash that is told is that of the configuration in force", async () => {
    await using world = await World.start();
    await world.service("a", ({ headers }) => String(headers["k-network-hash"]));
    await world.setEndpoints("empty", []);
    const told = async (): Promise<string> =>
      (await world.ask({ Host: HOST, "K-Network-Hash": "override" })).body.replace("a ", "");
    const hashOf = (spec: Ingress["spec"]) =>
      ingressHash(spec, objectKey({ namespace: "default", name: "hello" }));
    const first = only(path("a"));
    await world.route("hello", first);
    expect(await told()).toBe(hashOf(first));
    const second = only(path("a", { appendHeaders: { x: "y" } }));
    await world.route("hello", second);
    expect(await told()).toBe(hashOf(second));
    const ingress = await world.ingress("hello");
    await world.client.update(IngressKind, { ...ingress, spec: only(path("empty")) });
    expect(await told()).toBe(hashOf(second)); // what cannot serve is not in force (C-113)
  });
});

test("a client that leaves while it waits leaves nothing behind", async () => {
  await using world = await World.start();
  const asked = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const address = await world.upstream((incoming) => {
    incoming.on("close", () => gone.resolve());
    asked.resolve();
  });
  await world.setEndpoints("hello", [address]);
  await world.route("hello", only(path("hello")));
  const { ip, port } = world.gateway.address;
  const socket = connectNet(port, ip);
  socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  await asked.promise;
  socket.destroy();
  await gone.promise;
});

function destroyAll(all: Iterable<{ destroy(): void }>): void {
  for (const each of all) each.destroy();
}
