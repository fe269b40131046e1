import { connect as connectHttp2 } from "node:http2";
import { connect, createServer, type Socket } from "node:net";
import { EndpointsKind, RevisionKind } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { turn, World } from "./world.ts";

const NAMED = "Knative-Serving-Revision: hello-00001\r\nKnative-Serving-Namespace: default\r\n";
const ref = { namespace: "default", name: "hello-00001" };

/** A connection that keeps all it gets. */
class Client implements Disposable {
  readonly socket: Socket;
  text = "";
  isClosed = false;

  constructor({ activator }: World) {
    this.socket = connect(activator.address.port, activator.address.ip);
    this.socket.setEncoding("latin1");
    this.socket.on("data", (piece: string) => (this.text += piece));
    this.socket.on("error", () => {});
    this.socket.on("close", () => (this.isClosed = true));
  }

  /** Sends a head; `fields` end in CRLF. */
  send(requestLine: string, fields = "", body = ""): void {
    this.socket.write(`${requestLine} HTTP/1.1\r\nHost: hello.example\r\n${fields}\r\n${body}`, "latin1");
  }

  async until(found: RegExp): Promise<string> {
    while (!found.test(this.text)) {
      if (this.isClosed) throw new Error(`closed after ${JSON.stringify(this.text)}`);
      await turn();
    }
    return this.text;
  }

  async untilClosed(): Promise<string> {
    while (!this.isClosed) await turn();
    return this.text;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** A pod that answers each connection's first bytes by `answer`, and keeps what it was sent. */
async function rawPod(world: World, answer: (socket: Socket, seen: string) => void) {
  const seen: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      seen.push(bytes.toString("latin1"));
      answer(socket, seen.join(""));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await world.setPods([
    { ip: "127.0.0.1", port: typeof address === "object" && address !== null ? address.port : 0 },
  ]);
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { seen, sockets, [Symbol.asyncDispose]: close };
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

describe("what goes on", () => {
  test("A-19, A-31, A-32, A-33, A-139: path as it came, its fields but for hop-by-hop ones and the revision's", async () => {
    await using world = await World.start();
    await world.createRevision();
    await using pod = await rawPod(world, (socket) => void socket.write(OK));
    using client = new Client(world);
    client.send(
      "GET /a/../b//%2F?x=%zz",
      `${NAMED}Knative-Serving-Revision: other\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTe: trailers\r\n` +
        "Knative-Serving-Tag: blue\r\nK-Network-Hash: x\r\nX-Forwarded-For: 1.2.3.4\r\n",
    );
    await client.until(/hi$/);
    const [head = ""] = pod.seen;
    expect(head).toMatch(/^GET \/a\/\.\.\/b\/\/%2F\?x=%zz HTTP\/1\.1\r\n/);
    expect(head).toMatch(/X-Forwarded-For: 1\.2\.3\.4, 127\.0\.0\.1\r\n/i);
    expect(head).toMatch(/Knative-Serving-Tag: blue\r\n/i);
    expect(head).toMatch(/Te: trailers\r\n/i);
    expect(head).not.toMatch(
      /X-Hop|Keep-Alive|Knative-Serving-(Revision|Namespace)|K-Network-Hash|X-Forwarded-Proto/i,
    );
    expect(head).not.toMatch(/User-Agent/i);
  });

  test("A-106: what a pod says goes through untouched, also its errors, and nothing is sent again", async () => {
    await using world = await World.start();
    await world.createRevision();
    await using pod = await rawPod(world, (socket) => {
      socket.write(
        "HTTP/1.1 503 Service Unavailable\r\nX-Mine: 1\r\nContent-Length: 28\r\n\r\npending request queue full\r\n",
      );
    });
    using client = new Client(world);
    client.send("GET /", NAMED);
    const text = await client.until(/full\r\n$/);
    expect(text).toMatch(/^HTTP\/1\.1 503 /);
    expect(text).toMatch(/X-Mine: 1/i);
    expect(text).not.toMatch(/Server:|Via:|Retry-After:/i); // A-113
    expect(pod.seen.length).toBe(1);
  });

  test("A-105, A-107: bytes of an answer go on as they come; one that breaks off is cut, not ended", async () => {
    await using world = await World.start();
    await world.createRevision();
    await using pod = await rawPod(world, (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    });
    using client = new Client(world);
    client.send("GET /", NAMED);
    await client.until(/first\r\n$/);
    pod.sockets[0]?.destroy();
    expect(await client.untilClosed()).not.toMatch(/0\r\n\r\n$/);
  });

  test("A-109: a 101 makes a tunnel, which ends with either side", async () => {
    await using world = await World.start();
    await world.createRevision();
    await using pod = await rawPod(world, (socket, seen) => {
      if (seen.endsWith("\r\n\r\n"))
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
      else socket.write(seen.slice(seen.indexOf("\r\n\r\n") + 4));
    });
    using client = new Client(world);
    client.send("GET /", `${NAMED}Connection: Upgrade\r\nUpgrade: echo\r\n`);
    await client.until(/101 Switching/);
    client.socket.write("ping");
    await client.until(/ping$/);
    expect(world.activator.snapshot()[0]?.inFlight).toBe(1);
    pod.sockets[0]?.destroy();
    await client.untilClosed();
    while (world.activator.snapshot()[0]?.inFlight !== 0) await turn();
  });

  test("A-100, A-136: HTTP/2 in is HTTP/2 out, on the same port, held like any other", async () => {
    await using world = await World.start();
    await world.createRevision();
    const { createServer: createHttp2 } = await import("node:http2");
    const pod = createHttp2((request, response) => {
      response.end(
        `${request.httpVersion} ${request.headers[":path"]} ${request.headers["k-proxy-request"]}`,
      );
    });
    await new Promise<void>((resolve) => pod.listen(0, "127.0.0.1", resolve));
    const address = pod.address();
    const { ip, port } = world.activator.address;
    const session = connectHttp2(`http://${ip}:${port}`);
    const stream = session.request({
      ":path": "/grpc",
      "knative-serving-revision": "hello-00001",
      "knative-serving-namespace": "default",
    });
    let body = "";
    stream.setEncoding("latin1");
    stream.on("data", (piece: string) => (body += piece));
    const ended = new Promise<void>((resolve) => stream.on("end", resolve));
    await world.untilHeld(1);
    await world.setPods([
      { ip: "127.0.0.1", port: typeof address === "object" && address !== null ? address.port : 0 },
    ]);
    await ended;
    expect(body).toBe("2.0 /grpc activator");
    session.destroy();
    await world.activator.close();
    await new Promise<void>((resolve) => pod.close(() => resolve()));
  });
});

describe("what the activator says itself", () => {
  test.each([
    {
      what: "A-18: an unknown revision",
      send: ["GET /", ""],
      want: /^HTTP\/1\.1 404 .*X-Content-Type-Options: nosniff.*"" not found\n$/is,
    },
    {
      what: "A-137: two framings",
      send: ["POST /", `${NAMED}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n`],
      want: /^HTTP\/1\.1 400 /,
    },
    {
      what: "A-152: a kubelet's agent, from anyone",
      send: ["GET /x", `${NAMED}User-Agent: kube-probe/1\r\n`],
      want: /^HTTP\/1\.1 200 /,
    },
    {
      what: "A-153: a probe for someone else",
      send: ["GET /", `${NAMED}K-Network-Probe: queue\r\n`],
      want: /^HTTP\/1\.1 400 .*"queue"\n$/s,
    },
    { what: "A-154: CONNECT", send: ["CONNECT a:1", NAMED], want: /^HTTP\/1\.1 5\d\d / },
  ])("$what", async ({ send: [line = "", fields = ""], want }) => {
    await using world = await World.start();
    await world.createRevision();
    using client = new Client(world);
    client.send(line, fields);
    await client.until(want);
    expect(world.sent).toEqual([]); // A-24: none of these is counted
  });

  test("A-134: a megabyte of head is taken", async () => {
    await using world = await World.start();
    await world.createRevision();
    await using _pod = await rawPod(world, (socket, seen) => {
      if (seen.endsWith("\r\n\r\n")) socket.write(OK);
    });
    using client = new Client(world);
    client.send("GET /", `${NAMED}${`X-Large: ${"x".repeat(8_000)}\r\n`.repeat(125)}`);
    expect(await client.until(/hi$|HTTP\/1\.1 4/)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("A-103: a pod that closes without an answer is a 502 for a POST", async () => {
    await using world = await World.start();
    await world.createRevision();
    await using pod = await rawPod(world, (socket) => void socket.end());
    using client = new Client(world);
    client.send("POST /", `${NAMED}Content-Length: 1\r\n`, "x");
    expect(await client.until(/EOF\n$/)).toMatch(/^HTTP\/1\.1 502 /);
    expect(pod.sockets.length).toBe(1);
  });
});

describe("clients that leave, and objects that go", () => {
  test("A-70, A-71: one with an unread body that leaves while it is held is noticed, and never sent anywhere", async () => {
    await using world = await World.start();
    await world.createRevision();
    const client = new Client(world);
    client.send("POST /", `${NAMED}Content-Length: 100000\r\n`, "x".repeat(50_000));
    await world.untilHeld(1);
    client.socket.destroy();
    await world.untilHeld(0);
    await using pod = await rawPod(world, (socket) => void socket.write(OK));
    expect(pod.seen).toEqual([]);
  });

  test("A-111: one that leaves takes its pod's connection with it, and its slot is free at once", async () => {
    await using world = await World.start();
    await world.createRevision();
    let isClosed = false;
    await using pod = await rawPod(world, (socket) => {
      socket.once("close", () => (isClosed = true));
    });
    const client = new Client(world);
    client.send("GET /", NAMED);
    while (pod.seen.length === 0) await turn();
    client.socket.destroy();
    while (world.activator.snapshot()[0]?.inFlight !== 0) await turn();
    while (!isClosed) await turn();
  });

  test("A-55, A-57, A-74, A-143: without its Endpoints a revision has no pods, and requests wait", async () => {
    await using world = await World.start();
    await world.createRevision();
    await using _pod = await rawPod(world, (socket) => void socket.write(OK));
    using client = new Client(world);
    client.send("GET /", NAMED);
    await client.until(/hi$/);
    await world.client.delete(EndpointsKind, { namespace: "default", name: "hello-00001-private" });
    while (world.activator.snapshot()[0]?.pods !== 0) await turn();
    client.send("GET /", NAMED);
    await world.untilHeld(1);
  });

  test("A-53, A-144: a revision that comes back under its name finds the Endpoints that were there before it", async () => {
    await using world = await World.start();
    await world.createRevision();
    await using _pod = await rawPod(world, (socket) => void socket.write(OK));
    await world.client.delete(RevisionKind, ref);
    while (world.activator.snapshot().length > 0) await turn();
    await world.createRevision();
    using client = new Client(world);
    client.send("GET /", NAMED);
    await client.until(/hi$/);
  });

  test("A-129, A-130: told to go, it serves what it holds, and says Connection: close", async () => {
    await using world = await World.start();
    await world.createRevision();
    using client = new Client(world);
    client.send("GET /", NAMED);
    await world.untilHeld(1);
    const drained = world.activator.drain();
    await using _pod = await rawPod(world, (socket) => void socket.write(OK));
    expect(await client.until(/hi$/)).toMatch(/Connection: close/i);
    await drained;
  });
});
