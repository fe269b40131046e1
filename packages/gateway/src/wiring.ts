import {
  type Clock,
  chain,
  endpointAddress,
  type KubeClient,
  type Listener,
  type Logger,
  type Network,
  type Random,
  ROUSE_INGRESS_CLASS,
  sockets,
} from "@rouse/shared";
import { GatewayContext } from "./accept/context.ts";
import { EndpointPools } from "./balance/endpoint-pools.ts";
import { ForwardToBackend } from "./forward/forward-to-backend.ts";
import { RouteRequest } from "./route/route-request.ts";
import type { EntryPoint } from "./route/routing-table.ts";
import { IngressWatch } from "./watch/ingress-watch.ts";

export interface GatewayDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Sockets unless given. */
  readonly network?: Network;
}

export interface GatewayOptions {
  readonly ip: string;
  /** 0 lets the system choose; `address` says what it chose. */
  readonly port: number;
  /** Only Ingresses of this class are served and touched (C-104); our own unless told. */
  readonly ingressClass?: string;
  /**
   * `private` serves hosts that are only known within the cluster as well (C-105). The default: a home's one listener
   * is on the loopback address, which is the inside.
   */
  readonly entry?: EntryPoint;
}

/** An endpoint that does not answer within about a second is tried elsewhere. */
const DIAL_RETRIES_MAX = 5;

/** The way in: routes requests by host, path, headers and weight to the ready endpoints of Services. */
export class Gateway implements AsyncDisposable {
  readonly #server: Listener;
  readonly #watch: IngressWatch;
  readonly #pools: EndpointPools;
  #closing: Promise<void> | undefined;

  private constructor(server: Listener, watch: IngressWatch, pools: EndpointPools) {
    this.#server = server;
    this.#watch = watch;
    this.#pools = pools;
  }

  /** Resolves when every Ingress there is is in the table and it listens. Rejects if it cannot listen. */
  static async start(deps: GatewayDeps, options: GatewayOptions): Promise<Gateway> {
    const { client, clock, random, log, network = sockets } = deps;
    const pools = new EndpointPools((endpoint) =>
      network.connect({ clock, random }, { ...endpointAddress(endpoint), dialRetriesMax: DIAL_RETRIES_MAX }),
    );
    const forward = new ForwardToBackend({ clock, random, pools, log });
    const watch = new IngressWatch(
      { client, clock, random, log, pools, endpointsChanged: (backend) => forward.endpointsChanged(backend) },
      {
        ingressClass: options.ingressClass ?? ROUSE_INGRESS_CLASS,
        entry: options.entry ?? "private",
        ip: options.ip,
      },
    );
    const handler = chain<GatewayContext>([new RouteRequest(watch, random)], forward.handle);
    using starting = new DisposableStack();
    starting.use(watch);
    await watch.start(); // first, so that no host is unknown only because it is early
    const server = await network.listen<GatewayContext>(
      { clock, handler, context: () => new GatewayContext(), log },
      { ip: options.ip, port: options.port },
    );
    starting.move();
    return new Gateway(server, watch, pools);
  }

  get address(): { readonly ip: string; readonly port: number } {
    return this.#server.address;
  }

  /** Stops, giving what is in flight up to `graceMs`. May be called twice. */
  close(graceMs = 0): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(graceMs: number): Promise<void> {
    await this.#server.close(graceMs);
    this.#watch[Symbol.dispose]();
    this.#pools.close();
  }
}
