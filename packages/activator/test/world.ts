import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import {
  type Endpoints,
  EndpointsKind,
  InProcessKubeClient,
  type KubeClient,
  labels,
  ObjectStore,
  type Pod,
  PodKind,
  RealClock,
  RealRandom,
  type Revision,
  RevisionKind,
  ServiceKind,
  type StatMessage,
  silentLogger,
} from "@rouse/shared";
import { Activator, type ActivatorDeps, type ActivatorOptions } from "../src/index.ts";

const NAMESPACE = "default";
const NAME = "hello-00001";

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
}

export interface Address {
  readonly ip: string;
  readonly port: number;
}

/** An activator over an object store, and what stands around it. */
export class World implements AsyncDisposable {
  readonly client: KubeClient;
  readonly activator: Activator;
  readonly sent: StatMessage[];
  readonly #closing = new AsyncDisposableStack();

  private constructor(client: KubeClient, activator: Activator, sent: StatMessage[]) {
    this.client = client;
    this.activator = activator;
    this.sent = sent;
    this.#closing.use(activator);
  }

  static async start(
    options: Partial<ActivatorOptions> = {},
    deps: Pick<ActivatorDeps, "certificates" | "onlookers"> = {},
  ): Promise<World> {
    const clock = new RealClock();
    const random = new RealRandom();
    const store = new ObjectStore({ wall: () => clock.wall(), random });
    const client = new InProcessKubeClient({ store, clock });
    const sent: StatMessage[] = [];
    const activator = await Activator.start(
      { client, clock, random, log: silentLogger, stats: { send: (batch) => sent.push(...batch) }, ...deps },
      { ip: "127.0.0.1", port: 0, h2cPort: 0, podName: "activator", podIp: "127.0.0.1", ...options },
    );
    return new World(client, activator, sent);
  }

  async createRevision(spec: Partial<Revision["spec"]> = {}, annotations: Record<string, string> = {}) {
    await this.client.create<Revision>(RevisionKind, {
      apiVersion: "serving.knative.dev/v1",
      kind: "Revision",
      metadata: { namespace: NAMESPACE, name: NAME, annotations },
      spec: {
        containers: [{ name: "user-container" }],
        containerConcurrency: 1,
        timeoutSeconds: 300,
        ...spec,
      },
    });
    await this.untilKnown();
  }

  /** The pods of the revision's private Endpoints from now on. */
  async setPods(ready: readonly Address[], notReady: readonly Address[] = []): Promise<void> {
    const subset = (kind: "addresses" | "notReadyAddresses", { ip, port }: Address) => ({
      [kind]: [{ ip }],
      ports: [{ name: "http", port }],
    });
    const object: Endpoints = {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: {
        namespace: NAMESPACE,
        name: `${NAME}-private`,
        labels: { [labels.revision]: NAME, [labels.serviceType]: "Private" },
      },
      subsets: [
        ...ready.map((address) => subset("addresses", address)),
        ...notReady.map((address) => subset("notReadyAddresses", address)),
      ],
    };
    const ref = { namespace: NAMESPACE, name: `${NAME}-private` };
    const known = await this.client.get(EndpointsKind, ref).catch(() => undefined);
    await (known === undefined
      ? this.client.create(EndpointsKind, object)
      : this.client.update(EndpointsKind, object));
  }

  /** The revision's private Service, by which a mesh leads to its pods. */
  async createService(address: Address): Promise<void> {
    await this.client.create(ServiceKind, {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        namespace: NAMESPACE,
        name: `${NAME}-private`,
        labels: { [labels.revision]: NAME, [labels.serviceType]: "Private" },
      },
      spec: { clusterIP: address.ip, ports: [{ name: "http", port: address.port }] },
    });
  }

  async createPod(status: Pod["status"]): Promise<void> {
    const pod: Pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace: NAMESPACE, name: "pod-1", labels: { [labels.revision]: NAME } },
      spec: { containers: [{ name: "user-container" }] },
    };
    const created = await this.client.create(PodKind, pod);
    await this.client.updateStatus(PodKind, {
      ...pod,
      metadata: created.metadata,
      ...(status && { status }),
    });
  }

  /** A server in the place of a pod's queue-proxy. */
  async pod(serve: (request: IncomingMessage, response: ServerResponse) => void): Promise<Address> {
    const server = createServer(serve);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#closing.defer(async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    });
    const address = server.address();
    return { ip: "127.0.0.1", port: typeof address === "object" && address !== null ? address.port : 0 };
  }

  /** An address at which nothing listens. */
  async nothing(): Promise<Address> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    return { ip: "127.0.0.1", port: typeof address === "object" && address !== null ? address.port : 0 };
  }

  call(
    headers: Record<string, string> = {},
    signal?: AbortSignal,
    port = this.activator.address.port,
  ): Promise<Answer> {
    const named = { "Knative-Serving-Revision": NAME, "Knative-Serving-Namespace": NAMESPACE };
    return new Promise((resolve, reject) => {
      const { ip } = this.activator.address;
      const sent = request(
        { host: ip, port, headers: { ...named, ...headers }, agent: false, ...(signal && { signal }) },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("error", reject);
          response.on("end", () => {
            const body = Buffer.concat(parts).toString("latin1");
            resolve({ status: response.statusCode ?? 0, body, headers: response.headers });
          });
        },
      );
      sent.on("error", reject);
      sent.end();
    });
  }

  get held(): number {
    return this.activator.snapshot()[0]?.held ?? 0;
  }

  /** Resolves when `count` requests are held. */
  async untilHeld(count: number): Promise<void> {
    while (this.held !== count) await turn();
  }

  async untilKnown(): Promise<void> {
    while (this.activator.snapshot().length === 0) await turn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing.disposeAsync();
  }
}

/** Lets the event loop go round once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
