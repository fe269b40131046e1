import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Server as NetServer } from "node:net";
import {
  annotations,
  type Endpoints,
  EndpointsKind,
  type Ingress,
  IngressKind,
  type IngressPath,
  type IngressSplit,
  InProcessKubeClient,
  type KubeClient,
  ObjectStore,
  RealClock,
  RealRandom,
  ROUSE_INGRESS_CLASS,
  type Service,
  ServiceKind,
  type Stored,
  silentLogger,
} from "@rouse/shared";
import { Gateway, type GatewayOptions } from "../../src/index.ts";

export interface Address {
  readonly ip: string;
  readonly port: number;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A gateway over an object store, and servers in the place of activators and pods. */
export class World implements AsyncDisposable {
  readonly client: KubeClient;
  readonly gateway: Gateway;
  readonly #closing = new AsyncDisposableStack();

  private constructor(client: KubeClient, gateway: Gateway) {
    this.client = client;
    this.gateway = gateway;
    this.#closing.use(gateway);
  }

  static async start(options: Partial<GatewayOptions> = {}): Promise<World> {
    const clock = new RealClock();
    const random = new RealRandom();
    const client = new InProcessKubeClient({
      store: new ObjectStore({ wall: () => clock.wall(), random }),
      clock,
    });
    const deps = { client, clock, random, log: silentLogger };
    return new World(client, await Gateway.start(deps, { ip: "127.0.0.1", port: 0, ...options }));
  }

  async upstream(serve: (request: IncomingMessage, response: ServerResponse) => void): Promise<Address> {
    const server = createServer(serve);
    return await this.listen(server, () => server.closeAllConnections());
  }

  /** `endAll` has to end what keeps the server from closing. */
  async listen(server: Server | NetServer, endAll: () => void): Promise<Address> {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#closing.defer(async () => {
      endAll();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    });
    const address = server.address() as AddressInfo; // it listens on a port, not on a pipe
    return { ip: "127.0.0.1", port: address.port };
  }

  /** An upstream under a Service's name, which answers with its own name and what `say` makes of the request. */
  async service(name: string, say: (request: IncomingMessage) => string = () => ""): Promise<void> {
    const address = await this.upstream((incoming, response) => {
      incoming.resume().on("end", () => response.end(`${name} ${say(incoming)}`.trim()));
    });
    await this.setEndpoints(name, [address]);
  }

  async setService(name: string, spec: Service["spec"]): Promise<void> {
    const metadata = { namespace: "default", name };
    await this.client.create(ServiceKind, { apiVersion: "v1", kind: "Service", metadata, spec });
  }

  async setEndpoints(name: string, addresses: readonly Address[], portName = "http"): Promise<void> {
    const object: Endpoints = {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { namespace: "default", name },
      subsets: addresses.map(({ ip, port }) => ({ addresses: [{ ip }], ports: [{ name: portName, port }] })),
    };
    const known = await this.client.get(EndpointsKind, { namespace: "default", name }).catch(() => undefined);
    await (known === undefined
      ? this.client.create(EndpointsKind, object)
      : this.client.update(EndpointsKind, object));
  }

  async apply(name: string, splits: readonly Partial<IngressSplit>[], ingressClass = ROUSE_INGRESS_CLASS) {
    const ingress: Ingress = {
      apiVersion: "networking.internal.knative.dev/v1alpha1",
      kind: "Ingress",
      metadata: { namespace: "default", name, annotations: { [annotations.ingressClass]: ingressClass } },
      spec: {
        rules: [
          {
            hosts: [`${name}.default.localhost`],
            http: {
              paths: [
                {
                  splits: splits.map((split) => ({
                    serviceNamespace: "default",
                    serviceName: name,
                    servicePort: 80,
                    percent: 100,
                    ...split,
                  })),
                },
              ],
            },
          },
        ],
      },
    };
    const known = await this.client.get(IngressKind, { namespace: "default", name }).catch(() => undefined);
    await (known === undefined
      ? this.client.create(IngressKind, ingress)
      : this.client.update(IngressKind, { ...known, spec: ingress.spec }));
  }

  /** An Ingress of our class with this spec, or that spec for the one there is. Resolves when it is in force. */
  async route(name: string, spec: Ingress["spec"]): Promise<void> {
    const metadata = {
      namespace: "default",
      name,
      annotations: { [annotations.ingressClass]: ROUSE_INGRESS_CLASS },
    };
    const ingress: Ingress = {
      apiVersion: "networking.internal.knative.dev/v1alpha1",
      kind: "Ingress",
      metadata,
      spec,
    };
    const known = await this.client.get(IngressKind, metadata).catch(() => undefined);
    await (known === undefined
      ? this.client.create(IngressKind, ingress)
      : this.client.update(IngressKind, { ...known, spec }));
    await this.untilReady(name);
  }

  ingress(name: string): Promise<Stored<Ingress>> {
    return this.client.get(IngressKind, { namespace: "default", name });
  }

  /** Resolves when the gateway says that the latest spec is in force. */
  async untilReady(name: string): Promise<Stored<Ingress>> {
    for (;;) {
      const ingress = await this.ingress(name);
      const ready = ingress.status?.conditions?.find(({ type }) => type === "Ready");
      const isCurrent = ingress.status?.observedGeneration === ingress.metadata.generation;
      if (isCurrent && ready?.status === "True") return ingress;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  call(name: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask({ Host: `${name}.default.localhost:${this.gateway.address.port}`, ...headers });
  }

  ask(
    headers: Record<string, string>,
    { method = "GET", path = "/" }: { readonly method?: string; readonly path?: string } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { ip, port } = this.gateway.address;
      const sent = request({ host: ip, port, method, path, headers, agent: false }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString("latin1") });
        });
      });
      sent.on("error", reject);
      sent.end();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing.disposeAsync();
  }
}

/** A path that leads to one Service whole, or to several by their shares. */
export function path(
  to: string | Readonly<Record<string, number>>,
  more: Omit<Partial<IngressPath>, "splits"> & { readonly port?: number | string } = {},
): IngressPath {
  const { port = 80, ...rest } = more;
  const shares = typeof to === "string" ? { [to]: 100 } : to;
  const splits = Object.entries(shares).map(([serviceName, percent]) => ({
    serviceNamespace: "default",
    serviceName,
    servicePort: port,
    percent,
    appendHeaders: { "Knative-Serving-Revision": serviceName },
  }));
  return { ...rest, splits };
}
