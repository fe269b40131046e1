import {
  assert,
  type ClientPeer,
  type Clock,
  type Connections,
  type HttpServerDeps,
  type HttpServerOptions,
  type Listener,
  type LocalResponse,
  type MonoMs,
  type Network,
  ProxyError,
  type Random,
  type RequestHead,
  type Upstream,
} from "@rouse/shared";
import { ExchangeBase } from "@rouse/shared/testing";
import { SimHead } from "./sim-head.ts";

/** Whoever sent a request, told of what becomes of it. */
export interface Caller {
  /** Nobody listens there. */
  refused(error: ProxyError): void;
  /** `text`: the body, where the answer is one of a proxy's own. */
  answered(status: number, text: string): void;
  finished(): void;
  /** The connection broke. */
  cut(): void;
}

export interface Call {
  /** The caller is gone; nothing more is told. */
  drop(): void;
}

/**
 * Of one message: up to 2 ms, in parts of a millisecond that floating point holds exactly. Rounded sums would let timers
 * fire a hair too early, for ever.
 */
const PARTS_PER_MS = 64;
const LATENCY_PARTS_MAX = 128;
const EPHEMERAL_PORT_MIN = 50_000;

/** The network of a simulated platform: requests as calls, every message with a delay of its own. */
export class SimNetwork implements Network {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #listeners = new Map<string, SimListener>();
  /** Told of each request that is taken, and of each that is not. */
  onTaken: (address: Upstream, head: RequestHead) => void = () => {};
  onRefused: (address: Upstream, head: RequestHead) => void = () => {};
  readonly #opened = new Map<string, Set<() => void>>();
  #port = EPHEMERAL_PORT_MIN;

  constructor(deps: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = deps.clock;
    this.#random = deps.random;
  }

  async listen<C>(deps: HttpServerDeps<C>, options: HttpServerOptions): Promise<Listener> {
    return this.open(deps, options);
  }

  /** As `listen`, at once. */
  open<C>(deps: HttpServerDeps<C>, { ip, port }: HttpServerOptions): SimListener {
    const address = { ip, port: port === 0 ? this.#port++ : port };
    const key = keyOf(address);
    if (this.#listeners.has(key)) {
      throw Object.assign(new Error(`listen EADDRINUSE: ${key}`), { code: "EADDRINUSE" });
    }
    const accept: Accept = (head, caller) => {
      const peer: ClientPeer = { ip: "127.0.0.1", port: 40_000, isTls: false };
      const exchange = new SimExchange<C>(this, head, {
        peer,
        context: deps.context(head, peer),
        now: this.#clock.now(),
        caller,
      });
      return { exchange, begin: () => deps.handler(exchange) };
    };
    const listener = new SimListener(address, accept, this.#clock, () => this.#listeners.delete(key));
    this.#listeners.set(key, listener);
    for (const told of this.#opened.get(key) ?? []) told();
    return listener;
  }

  connect(_deps: unknown, { ip, port }: { readonly ip: string; readonly port: number }): Connections {
    return { ip, port, close: () => {} };
  }

  isListening(address: Upstream): boolean {
    return this.#listeners.get(keyOf(address))?.isAccepting ?? false;
  }

  /** Calls `told` whenever somebody begins to listen there. */
  onOpen(address: Upstream, told: () => void): Disposable {
    const key = keyOf(address);
    const all = this.#opened.get(key) ?? new Set();
    this.#opened.set(key, all.add(told));
    return { [Symbol.dispose]: () => void all.delete(told) };
  }

  /** Sends a request. */
  call(to: Upstream, head: RequestHead, caller: Caller): Call {
    const wire = new Wire(this.#clock, this.#random);
    let exchange: Hop | undefined;
    wire.send(() => {
      const listener = this.#listeners.get(keyOf(to));
      if (listener === undefined || !listener.isAccepting) {
        const error = new ProxyError(
          "upstream-refused",
          `dial tcp ${keyOf(to)}: connect: connection refused`,
        );
        this.onRefused(to, head);
        wire.send(() => caller.refused(error));
        return;
      }
      this.onTaken(to, head);
      exchange = listener.accept(head, {
        refused: () => assert(false, "only a caller is refused"),
        answered: (status, text) => wire.send(() => caller.answered(status, text)),
        finished: () => wire.send(() => caller.finished()),
        cut: () => wire.send(() => caller.cut()),
      });
    });
    return {
      drop: () => {
        wire.close();
        exchange?.clientLeft();
      },
    };
  }
}

/** Messages of one connection, in both directions: each late, none before an earlier one. */
class Wire {
  readonly #clock: Clock;
  readonly #random: Random;
  #lastDueAt = 0;
  #isClosed = false;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  send(deliver: () => void): void {
    if (this.#isClosed) return;
    const now = this.#clock.now();
    const latencyMs = this.#random.integer(1, LATENCY_PARTS_MAX) / PARTS_PER_MS;
    this.#lastDueAt = Math.max(this.#lastDueAt, now + latencyMs);
    this.#clock.after(this.#lastDueAt - now, () => {
      if (!this.#isClosed) deliver();
    });
  }

  close(): void {
    this.#isClosed = true;
  }
}

/** A request at whoever listens. */
interface Hop {
  observe(observer: { ended(): void }): void;
  clientLeft(): void;
  serverGone(): void;
}

type Accept = (head: RequestHead, caller: Caller) => { readonly exchange: Hop; readonly begin: () => void };

export class SimListener implements Listener {
  readonly address: { readonly ip: string; readonly port: number };
  readonly #accept: Accept;
  readonly #clock: Clock;
  readonly #gone: () => void;
  readonly #exchanges = new Set<Hop>();
  #whenIdle: (() => void)[] = [];
  isAccepting = true;

  constructor(
    address: { readonly ip: string; readonly port: number },
    accept: Accept,
    clock: Clock,
    gone: () => void,
  ) {
    this.address = address;
    this.#accept = accept;
    this.#clock = clock;
    this.#gone = gone;
  }

  accept(head: RequestHead, caller: Caller): Hop {
    const { exchange, begin } = this.#accept(head, caller);
    this.#exchanges.add(exchange);
    exchange.observe({
      ended: () => {
        this.#exchanges.delete(exchange);
        if (this.#exchanges.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
      },
    });
    begin();
    return exchange;
  }

  async drain(): Promise<void> {
    this.#stop();
    if (this.#exchanges.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  async close(graceMs = 0): Promise<void> {
    const drained = this.drain();
    if (graceMs > 0 && this.#exchanges.size > 0) {
      const grace = Promise.withResolvers<void>();
      using _timer = this.#clock.after(graceMs, () => grace.resolve());
      await Promise.race([drained, grace.promise]);
    }
    this.cut();
  }

  /** Ends at once, whoever is connected. */
  cut(): void {
    this.#stop();
    for (const exchange of [...this.#exchanges]) exchange.serverGone();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #stop(): void {
    if (!this.isAccepting) return;
    this.isAccepting = false;
    this.#gone();
  }
}

interface Setting<C> {
  readonly peer: ClientPeer;
  readonly context: C;
  readonly now: MonoMs;
  readonly caller: Caller;
}

/** One hop of a request. */
class SimExchange<C> extends ExchangeBase<C> implements Caller {
  readonly #network: SimNetwork;
  readonly #caller: Caller;
  readonly #outgoing: Map<string, string>;
  #call: Call | undefined;
  #text = "";

  constructor(network: SimNetwork, head: RequestHead, { peer, context, now, caller }: Setting<C>) {
    super(head, peer, context, now);
    this.#network = network;
    this.#caller = caller;
    this.#outgoing = new Map([...head.entries()].map(([name, value]) => [name.toLowerCase(), value]));
  }

  override setRequestHeader(name: string, value: string): void {
    this.#outgoing.set(name.toLowerCase(), value);
  }

  override addRequestHeader(name: string, value: string): void {
    this.setRequestHeader(name, value);
  }

  override removeRequestHeader(name: string): void {
    this.#outgoing.delete(name.toLowerCase());
  }

  refused(error: ProxyError): void {
    this.#call = undefined;
    this.attemptFailed({ error, isRetriable: true });
  }

  answered(status: number, text: string): void {
    this.#begin(status, text);
  }

  finished(): void {
    this.#call = undefined;
    this.#finish();
  }

  cut(): void {
    this.#call = undefined;
    const error = new ProxyError("upstream-closed", "EOF");
    if (this.status === 0) this.attemptFailed({ error, isRetriable: false });
    else this.abort(error);
  }

  /** The program that had it is gone. */
  serverGone(): void {
    if (this.state === "ended") return;
    this.#caller.cut();
    this.clientLeft();
  }

  protected override sendLocal({ status, body = "" }: LocalResponse): void {
    this.#begin(status, body);
    this.#finish();
  }

  protected override attempt(upstream: Upstream): void {
    this.#call = this.#network.call(upstream, new SimHead(new Map(this.#outgoing)), this);
  }

  protected override dropUpstream(): void {
    this.#call?.drop();
    this.#call = undefined;
  }

  protected override cutClient(): void {
    this.#caller.cut();
  }

  #begin(status: number, text: string): void {
    this.status = status;
    this.state = "responding";
    this.#text = text;
    this.tellStarted(status);
    this.#caller.answered(status, this.#text);
  }

  #finish(): void {
    this.#caller.finished();
    this.completed();
  }
}

function keyOf({ ip, port }: Upstream): string {
  return `${ip}:${port}`;
}
