import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { Activator } from "@rouse/activator";
import { Gateway } from "@rouse/gateway";
import { QueueProxy } from "@rouse/queue-proxy";
import {
  annotations,
  type Clock,
  type Endpoints,
  EndpointsKind,
  endpoint,
  headers,
  type Ingress,
  IngressKind,
  InProcessKubeClient,
  type KubeClient,
  type Logger,
  labels,
  ObjectStore,
  type Random,
  RealClock,
  RealRandom,
  type Revision,
  RevisionKind,
  ROUSE_INGRESS_CLASS,
  revisionKey,
  silentLogger,
} from "@rouse/shared";
import { expect, test } from "vitest";

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

interface Address {
  readonly ip: string;
  readonly port: number;
}

const namespace = "default";
const name = "hello-00001";
const key = revisionKey({ namespace, name });

interface Deps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Client → gateway → activator → queue-proxy → program, with nobody but the test to start pods. */
class DataPath implements AsyncDisposable {
  readonly client: KubeClient;
  readonly gateway: Gateway;
  readonly activator: Activator;
  readonly pokes: number[] = [];
  readonly #deps: Deps;
  readonly #closing = new AsyncDisposableStack();
  readonly #containerConcurrency: number;

  private constructor(
    deps: Deps,
    parts: { gateway: Gateway; activator: Activator; pokes: number[] },
    containerConcurrency: number,
  ) {
    this.#deps = deps;
    this.client = deps.client;
    this.gateway = parts.gateway;
    this.activator = parts.activator;
    this.pokes = parts.pokes;
    this.#containerConcurrency = containerConcurrency;
    this.#closing.use(parts.activator);
    this.#closing.use(parts.gateway);
  }

  static async start(containerConcurrency: number): Promise<DataPath> {
    const clock = new RealClock();
    const random = new RealRandom();
    const client = new InProcessKubeClient({
      store: new ObjectStore({ wall: () => clock.wall(), random }),
      clock,
    });
    const deps = { client, clock, random, log: silentLogger };
    const pokes: number[] = [];
    const stats = { send: (batch: readonly unknown[]) => pokes.push(batch.length) };
    const activator = await Activator.start(
      { ...deps, stats },
      { ip: "127.0.0.1", port: 0, podName: "activator", podIp: "127.0.0.1" },
    );
    const gateway = await Gateway.start(deps, { ip: "127.0.0.1", port: 0 });
    const path = new DataPath(deps, { gateway, activator, pokes }, containerConcurrency);
    await path.#createObjects();
    return path;
  }

  async #createObjects(): Promise<void> {
    await this.client.create<Revision>(RevisionKind, {
      apiVersion: "serving.knative.dev/v1",
      kind: "Revision",
      metadata: { namespace, name },
      spec: { containers: [{ name: "user-container" }], containerConcurrency: this.#containerConcurrency },
    });
    await this.setPublic([this.activator.address]);
    const split = { serviceNamespace: namespace, serviceName: name, servicePort: 80, percent: 100 };
    const appendHeaders = { [headers.revision]: name, [headers.namespace]: namespace };
    await this.client.create<Ingress>(IngressKind, {
      apiVersion: "networking.internal.knative.dev/v1alpha1",
      kind: "Ingress",
      metadata: {
        namespace,
        name: "hello",
        annotations: { [annotations.ingressClass]: ROUSE_INGRESS_CLASS },
      },
      spec: {
        rules: [
          {
            hosts: ["hello.default.localhost"],
            http: { paths: [{ splits: [{ ...split, appendHeaders }] }] },
          },
        ],
      },
    });
    for (let isReady = false; !isReady; await turn()) {
      const { status } = await this.client.get(IngressKind, { namespace, name: "hello" });
      isReady =
        status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
    }
    while (this.activator.snapshot().length === 0) await turn();
  }

  /** Who answers the revision's traffic: the activator, or pods. */
  setPublic(addresses: readonly Address[]): Promise<void> {
    return this.#setEndpoints("Public", name, addresses);
  }

  setPrivate(addresses: readonly Address[]): Promise<void> {
    return this.#setEndpoints("Private", `${name}-private`, addresses);
  }

  /** A program and its queue-proxy. */
  pod(serve: Serve): Promise<QueueProxy> {
    return this.podOf(createServer(serve));
  }

  async podOf(server: Server): Promise<QueueProxy> {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const proxy = await QueueProxy.start(this.#deps, {
      ip: "127.0.0.1",
      port: 0,
      podName: `pod-${this.#containerConcurrency}`,
      revision: { namespace, name },
      userPort: typeof address === "object" && address !== null ? address.port : 0,
      containerConcurrency: this.#containerConcurrency,
      timeoutMs: 300_000,
      responseStartTimeoutMs: 0,
      idleTimeoutMs: 0,
      drainQuietMs: 0,
    });
    this.#closing.defer(async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    });
    return this.#closing.use(proxy);
  }

  call(options: { readonly path?: string; readonly signal?: AbortSignal } = {}) {
    const { path = "/", signal } = options;
    return new Promise<{ status: number; body: string }>((resolve, reject) => {
      const { ip, port } = this.gateway.address;
      const sent = request(
        {
          host: ip,
          port,
          path,
          headers: { Host: "hello.default.localhost" },
          agent: false,
          ...(signal === undefined ? {} : { signal }),
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("error", reject);
          response.on("end", () => {
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString("latin1") });
          });
        },
      );
      sent.on("error", reject);
      sent.end();
    });
  }

  async untilHeld(count: number): Promise<void> {
    while (this.activator.snapshot()[0]?.held !== count) await turn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing.disposeAsync();
  }

  async #setEndpoints(type: "Public" | "Private", of: string, addresses: readonly Address[]): Promise<void> {
    const object: Endpoints = {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { namespace, name: of, labels: { [labels.revision]: name, [labels.serviceType]: type } },
      subsets: addresses.map(({ ip, port }) => ({ addresses: [{ ip }], ports: [{ name: "http", port }] })),
    };
    const known = await this.client.get(EndpointsKind, { namespace, name: of }).catch(() => undefined);
    await (known === undefined
      ? this.client.create(EndpointsKind, object)
      : this.client.update(EndpointsKind, object));
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A program that remembers how many requests it had at one time. */
function counting() {
  const seen = { running: 0, most: 0, total: 0 };
  const serve: Serve = (_, response) => {
    seen.total++;
    seen.most = Math.max(seen.most, ++seen.running);
    setImmediate(() => {
      seen.running--;
      response.end("hi");
    });
  };
  return { seen, serve };
}

test("a hundred at once from zero, one at a time in the pod: all served, one poke, never two together", async () => {
  await using path = await DataPath.start(1);
  const calls = Array.from({ length: 100 }, () => path.call());
  await path.untilHeld(100);
  expect(path.pokes[0]).toBe(1);
  const { seen, serve } = counting();
  const pod = await path.pod(serve);
  path.activator.podReady(key, endpoint(pod.address));
  const answers = await Promise.all(calls);
  expect(answers.filter(({ status, body }) => status === 200 && body === "hi").length).toBe(100);
  expect(seen).toEqual({ running: 0, most: 1, total: 100 });
  const stat = pod.takeStat();
  expect([stat.requestCount, stat.proxiedRequestCount]).toEqual([100, 100]);
});

test("a client that leaves the gateway while the activator holds it is forgotten by both", async () => {
  await using path = await DataPath.start(1);
  const leave = new AbortController();
  const gone = path.call({ signal: leave.signal });
  await path.untilHeld(1);
  leave.abort();
  await expect(gone).rejects.toThrow();
  await path.untilHeld(0);
});

test("under load, from the activator to the pods and back, while pods come and go: nobody fails", async () => {
  await using path = await DataPath.start(5);
  const programs = [counting(), counting(), counting()];
  const pods = await Promise.all(programs.map(({ serve }) => path.pod(serve)));
  const addressesOf = (indexes: readonly number[]) =>
    pods.filter((_, index) => indexes.includes(index)).map(({ address }) => address);
  let isOver = false;
  const load = Array.from({ length: 10 }, async () => {
    const statuses: number[] = [];
    while (!isOver) statuses.push((await path.call()).status);
    return statuses;
  });
  const steps = [[0], [0, 1], [1, 2], [2], [], [0, 1, 2], [1]];
  for (let round = 0; round < 35; round++) {
    const ready = addressesOf(steps[round % steps.length] ?? []);
    await path.setPrivate(ready);
    await path.setPublic(round % 2 === 0 || ready.length === 0 ? [path.activator.address] : ready);
    for (let left = 20; left > 0; left--) await turn();
  }
  await path.setPrivate(addressesOf([0]));
  isOver = true;
  const statuses = (await Promise.all(load)).flat();
  expect(statuses.length).toBeGreaterThan(50);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  for (const { seen } of programs) expect(seen.most).toBeLessThanOrEqual(5);
  expect(path.activator.snapshot()).toMatchObject([{ held: 0, inFlight: 0 }]);
});

test("a pod that drains while requests run finishes them, and the next ones go elsewhere", async () => {
  await using path = await DataPath.start(1);
  const held: (() => void)[] = [];
  const old = await path.pod((_, response) => held.push(() => response.end("old")));
  await path.setPrivate([old.address]);
  const running = path.call();
  while (held.length === 0) await turn();
  const next = await path.pod((_, response) => response.end("new"));
  await path.setPrivate([next.address]);
  const drained = old.drain();
  expect((await path.call()).body).toBe("new");
  for (const release of held.splice(0)) release();
  expect((await running).body).toBe("old");
  await drained;
});

test("bodies stream through all of it, both ways", async () => {
  await using path = await DataPath.start(0);
  const pod = await path.pod((asked, response) => {
    response.writeHead(200);
    asked.on("data", (piece: Buffer) => response.write(`<${piece.toString()}>`));
    asked.on("end", () => response.end());
  });
  await path.setPrivate([pod.address]);
  const { ip, port } = path.gateway.address;
  const sent = request({ host: ip, port, method: "POST", headers: { Host: "hello.default.localhost" } });
  sent.write("one");
  const [response] = await once(sent, "response");
  expect(String((await once(response, "data"))[0])).toBe("<one>");
  sent.write("two");
  expect(String((await once(response, "data"))[0])).toBe("<two>");
  sent.end();
  response.resume();
  await once(response, "end");
});

test("an upgraded connection goes through all of it, and holds its place in the pod for its whole life", async () => {
  await using path = await DataPath.start(1);
  const server = createServer((_, response) => response.end("hi"));
  server.on("upgrade", (_, socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    socket.pipe(socket);
  });
  const pod = await path.podOf(server);
  await path.setPrivate([pod.address]);
  const { ip, port } = path.gateway.address;
  const headersSent = { Host: "hello.default.localhost", Connection: "Upgrade", Upgrade: "echo" };
  const sent = request({ host: ip, port, headers: headersSent });
  sent.end();
  const [response, socket] = await once(sent, "upgrade");
  expect(response.statusCode).toBe(101);
  socket.write("ping");
  expect(String((await once(socket, "data"))[0])).toBe("ping");
  const waiting = path.call();
  await path.untilHeld(1);
  expect(pod.inFlight).toBe(1);
  socket.end();
  expect((await waiting).body).toBe("hi");
});
