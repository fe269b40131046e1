import {
  assert,
  type ClientPeer,
  type Clock,
  type Connections,
  type HttpServerDeps,
  type HttpServerOptions,
  type Listener,
  type Network,
  ProxyError,
  type Random,
  type RequestHead,
  type Upstream,
} from "@rouse/shared";
import { type Call, SimExchange } from "./sim-exchange.ts";
import { type Accept, type Caller, type Hop, SimListener } from "./sim-listener.ts";
import { SimWire } from "./sim-wire.ts";

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
      const exchange = new SimExchange<C>((to, sent, back) => this.call(to, sent, back), head, {
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
    const wire = new SimWire(this.#clock, this.#random);
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

function keyOf({ ip, port }: Upstream): string {
  return `${ip}:${port}`;
}
