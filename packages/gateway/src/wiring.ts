import {
  type Authority,
  type Clock,
  chain,
  endpointAddress,
  type HttpServerDeps,
  issueCertificate,
  type KubeClient,
  type Listener,
  type Logger,
  makeAuthority,
  type Network,
  type Random,
  ROUSE_INGRESS_CLASS,
  type ServerCertificate,
  sockets,
} from "@rouse/shared";
import { GatewayContext } from "./accept/context.ts";
import { EndpointPools } from "./balance/endpoint-pools.ts";
import { ForwardToBackend } from "./forward/forward-to-backend.ts";
import { RouteRequest } from "./route/route-request.ts";
import type { EntryPoint } from "./route/routing-table.ts";
import { Certificates } from "./tls/certificates.ts";
import { GivenCertificates } from "./tls/given-certificates.ts";
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
  /** A second listener, which speaks TLS. */
  readonly tls?: TlsOptions;
}

export interface TlsOptions {
  readonly port: number;
  /** Shown to clients whose host brings no certificate of its own (C-117); one by the authority unless given. */
  readonly certificate?: ServerCertificate;
  /** Signs certificates for the hosts that are routed; one of its own, of which nobody knows, unless given. */
  readonly authority?: Authority;
}

const HTTPS_PORT = 443;

/** An endpoint that does not answer within about a second is tried elsewhere. */
const DIAL_RETRIES_MAX = 5;

/** The way in: routes requests by host, path, headers and weight to the ready endpoints of Services. */
export class Gateway implements AsyncDisposable {
  readonly #server: Listener;
  readonly #tls: Tls | undefined;
  readonly #watch: IngressWatch;
  readonly #pools: EndpointPools;
  #closing: Promise<void> | undefined;

  private constructor(server: Listener, tls: Tls | undefined, watch: IngressWatch, pools: EndpointPools) {
    this.#server = server;
    this.#tls = tls;
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
    let tls: Tls | undefined;
    const route = new RouteRequest(
      watch,
      random,
      () => tls?.server.address.port ?? options.tls?.port ?? HTTPS_PORT,
    );
    const handler = chain<GatewayContext>([route], forward.handle);
    await using starting = new AsyncDisposableStack();
    starting.use(watch);
    await watch.start(); // first, so that no host is unknown only because it is early
    const serve = { clock, handler, context: () => new GatewayContext(), log };
    if (options.tls !== undefined) {
      tls = await listenTls(deps, serve, { ip: options.ip, watch, tls: options.tls });
      starting.use(tls.server);
      starting.use(tls.given);
    }
    const server = await network.listen<GatewayContext>(serve, { ip: options.ip, port: options.port });
    starting.move();
    return new Gateway(server, tls, watch, pools);
  }

  get address(): { readonly ip: string; readonly port: number } {
    return this.#server.address;
  }

  /** Where it speaks TLS, if it does. */
  get tlsAddress(): { readonly ip: string; readonly port: number } | undefined {
    return this.#tls?.server.address;
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
    await Promise.all([this.#server.close(graceMs), this.#tls?.server.close(graceMs)]);
    this.#tls?.given[Symbol.dispose]();
    this.#watch[Symbol.dispose]();
    this.#pools.close();
  }
}

interface Tls {
  readonly server: Listener;
  readonly given: GivenCertificates;
}

/** Listens under TLS, with the certificates of the hosts that are routed. */
async function listenTls(
  { client, clock, random, log, network = sockets }: GatewayDeps,
  serve: HttpServerDeps<GatewayContext>,
  { ip, watch, tls }: { readonly ip: string; readonly watch: IngressWatch; readonly tls: TlsOptions },
): Promise<Tls> {
  using starting = new DisposableStack();
  const given = starting.use(
    new GivenCertificates({ client, clock, random }, (host) => watch.secretOf(host)),
  );
  await given.start();
  const { authority = makeAuthority(clock.wall()) } = tls;
  const certificates = new Certificates({
    clock,
    log,
    authority,
    isKnown: (host) => watch.table.knows(host),
    given: given.of,
  });
  const certificate =
    tls.certificate ?? issueCertificate(authority, { hosts: ["localhost", ip], now: clock.wall() });
  const server = await network.listen(serve, {
    ip,
    port: tls.port,
    certificate,
    contextOf: certificates.contextOf,
    speaksHttp2: (host) => watch.speaksHttp2(host),
  });
  starting.move();
  return { server, given };
}
