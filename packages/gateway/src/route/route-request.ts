import { type Handler, headers, type Layer, ProxyError, type Random } from "@rouse/shared";
import type { GatewayContext, GatewayExchange } from "../accept/context.ts";
import type { Backend } from "../balance/backend.ts";
import { ingressHash } from "./ingress-hash.ts";
import { pickSplit } from "./pick-split.ts";
import {
  type FieldList,
  hostName,
  type RoutedRequest,
  type RoutePath,
  type RoutingTable,
} from "./routing-table.ts";

/** The table in force now. */
export interface CurrentTable {
  readonly table: RoutingTable<Backend>;
  /** What the inside knows: where a mapped domain's request is looked up again. */
  readonly inner: RoutingTable<Backend>;
}

const HTTPS_PORT = 443;
/** Asks which configuration routed the request; the answer is its hash (C-121). */
const WHICH_CONFIGURATION = "override";
/** What only the platform may say of a request. From a client it would name another revision, Host or way. */
const SPOOFABLE = [
  headers.revision,
  headers.namespace,
  headers.originalHost,
  headers.proxyRequest,
  headers.passthroughLb,
] as const;

/** Finds the Service a request goes to and writes what the platform says about it. 404 for a host nobody has. */
export class RouteRequest implements Layer<GatewayContext> {
  readonly #current: CurrentTable;
  readonly #random: Random;
  readonly #httpsPortNow: () => number;

  /** @param httpsPort where redirected clients are sent */
  constructor(current: CurrentTable, random: Random, httpsPort: () => number = () => HTTPS_PORT) {
    this.#current = current;
    this.#random = random;
    this.#httpsPortNow = httpsPort;
  }

  get #httpsPort(): number {
    return this.#httpsPortNow();
  }

  handle(exchange: GatewayExchange, next: Handler<GatewayContext>): void {
    const { request } = exchange;
    const path = this.#current.table.find(request);
    if (path === undefined) {
      exchange.fail(new ProxyError("unknown-host", `no service has the host "${hostName(request.host)}"`));
      return;
    }
    if (path.isRedirected && !exchange.client.isTls) {
      const port = this.#httpsPort === HTTPS_PORT ? "" : `:${this.#httpsPort}`;
      const location = `https://${hostName(request.host)}${port}${request.target}`;
      exchange.respond({ status: 301, headers: { Location: location } });
      return;
    }
    const split = pickSplit(path, this.#random);
    const inner = split === undefined ? undefined : this.#innerPath(path, request);
    const innerSplit = inner === undefined ? split : pickSplit(inner, this.#random);
    if (split === undefined || innerSplit === undefined) {
      exchange.fail(new ProxyError("no-endpoint", "all of the host's traffic goes nowhere"));
      return;
    }
    for (const name of SPOOFABLE) if (request.has(name)) exchange.removeRequestHeader(name);
    exchange.setRequestHeader("X-Forwarded-Proto", exchange.client.isTls ? "https" : "http");
    set(exchange, path.setHeaders);
    set(exchange, split.setHeaders);
    if (inner !== undefined) {
      set(exchange, inner.setHeaders);
      set(exchange, innerSplit.setHeaders);
    }
    if (request.get(headers.networkHash) === WHICH_CONFIGURATION) {
      const { spec, key } = path.ingress;
      exchange.setRequestHeader(headers.networkHash, ingressHash(spec, key)); // rarely asked, so not kept
    }
    if (path.rewriteHost !== undefined) exchange.setRequestHeader("Host", path.rewriteHost);
    exchange.context.backend = innerSplit.backend;
    next(exchange);
  }

  /**
   * Where a domain is mapped to a name of the inside, the path that name's own route would take, split and rollout
   * included; one such hop at most, so that no ring of mappings turns for ever. C-130
   */
  #innerPath({ rewriteHost }: RoutePath<Backend>, request: RoutedRequest): RoutePath<Backend> | undefined {
    if (rewriteHost === undefined) return undefined;
    const renamed = { host: rewriteHost, target: request.target, get: (name: string) => request.get(name) };
    const inner = this.#current.inner.find(renamed);
    return inner?.rewriteHost === undefined ? inner : undefined;
  }
}

/** "Append" in the contract, but a value of the client's must not survive (C-109). */
function set(exchange: GatewayExchange, fields: FieldList): void {
  for (const [name, value] of fields) exchange.setRequestHeader(name, value);
}
