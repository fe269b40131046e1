import type { Upstream } from "./exchange.ts";
import { type DrainOptions, HttpServer, type HttpServerDeps, type HttpServerOptions } from "./server.ts";
import { UpstreamPool, type UpstreamPoolDeps, type UpstreamPoolOptions } from "./upstream-pool.ts";

/** What listens on one address and turns what comes into exchanges. */
export interface Listener extends AsyncDisposable {
  readonly address: { readonly ip: string; readonly port: number };
  /** Stops accepting and resolves when the last exchange is over. */
  drain(options?: DrainOptions): Promise<void>;
  /** Drains for up to `graceMs`, then cuts what is left. May be called twice. */
  close(graceMs?: number): Promise<void>;
}

/** Connections to one endpoint, closed by who opened them. */
export interface Connections extends Upstream {
  close(): unknown;
}

/** How programs reach each other: over sockets, or in a simulation as plain calls in virtual time. */
export interface Network {
  /** Rejects when the address is taken. */
  listen<C>(deps: HttpServerDeps<C>, options: HttpServerOptions): Promise<Listener>;
  connect(deps: UpstreamPoolDeps, options: UpstreamPoolOptions): Connections;
}

export const sockets: Network = {
  listen: (deps, options) => HttpServer.start(deps, options),
  connect: (deps, options) => new UpstreamPool(deps, options),
};
