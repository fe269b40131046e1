import type { Clock, Exchange, ExchangeObserver, Handler, Layer, MonoMs } from "@rouse/shared";

export interface DrainOptions {
  /** How long no request may arrive before the drain is complete. */
  readonly quietMs: number;
  /**
   * How long it may take in all, counted from its beginning, however much arrives and runs: a little less than the pod
   * has left to live. Infinite unless told.
   */
  readonly limitMs?: number;
}

/** How long before its end clients are told to come again on another connection: this, or a quarter of it. Q-121 */
const CLOSING_MS_MAX = 3_000;
const NEVER: Disposable = { [Symbol.dispose]: () => {} };

/**
 * Counts what is in flight and knows when traffic has moved away. Once begun, a drain is complete when `quietMs` have
 * passed without an ordinary request; what is in progress does not hold it up, and is waited for apart (Q-109..Q-114).
 */
export class Drain<C> implements Layer<C>, ExchangeObserver<C>, Disposable {
  readonly #clock: Clock;
  readonly #quietMs: number;
  readonly #limitMs: number;
  readonly #closingMs: number;
  #inFlight = 0;
  #lastArrival: MonoMs;
  #beganAt: MonoMs;
  #state: "open" | "draining" | "drained" = "open";
  #timer: Disposable | undefined;
  #whenDrained: (() => void)[] = [];
  #whenIdle: (() => void)[] = [];

  constructor(clock: Clock, options: DrainOptions) {
    this.#clock = clock;
    this.#quietMs = options.quietMs;
    this.#limitMs = options.limitMs ?? Number.POSITIVE_INFINITY;
    this.#closingMs = Math.min(CLOSING_MS_MAX, this.#quietMs / 4, this.#limitMs / 4);
    this.#lastArrival = clock.now();
    this.#beganAt = this.#lastArrival;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get isDraining(): boolean {
    return this.#state !== "open";
  }

  handle(exchange: Exchange<C>, next: Handler<C>): void {
    this.#inFlight++;
    if (this.#state === "draining") this.#lastArrival = this.#clock.now();
    exchange.observe(this);
    next(exchange);
  }

  /** Connections kept to the last would be cut between two requests, which a client may notice too late. */
  responseStarting(exchange: Exchange<C>): void {
    if (this.#state !== "open" && this.#endsInMs() <= this.#closingMs) exchange.closeAfterResponse();
  }

  ended(): void {
    this.#inFlight--;
    if (this.#inFlight === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Begins a drain or joins the one that runs. Resolves when it is complete, at once if it already was. */
  async begin(): Promise<void> {
    if (this.#state === "drained") return;
    const drained = new Promise<void>((resolve) => this.#whenDrained.push(resolve));
    if (this.#state === "open") {
      this.#state = "draining";
      this.#lastArrival = this.#clock.now();
      this.#beganAt = this.#lastArrival;
      this.#arm(); // without a quiet time it is over here
    }
    await drained;
  }

  /** What is left of the drain's whole time; infinite where it has no limit. */
  get restMs(): number {
    return Math.max(0, this.#beganAt + this.#limitMs - this.#clock.now());
  }

  /**
   * As `begin`, and then until nothing is in flight any more, within the drain's limit: what the program is kept alive
   * for (E-10). Taking the drain back ends it as well.
   */
  async finish(): Promise<void> {
    await this.begin();
    if (this.#state === "open" || this.#inFlight === 0) return;
    const timeUp = Promise.withResolvers<void>();
    const { restMs } = this;
    using _timer = Number.isFinite(restMs) ? this.#clock.after(restMs, () => timeUp.resolve()) : NEVER;
    await Promise.race([this.idle(), timeUp.promise]);
  }

  /** Takes a drain back: probes are answered again, whoever waits is let go. Q-114. */
  reset(): void {
    this.#state = "open";
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#release();
  }

  /** Resolves when nothing is in flight. */
  async idle(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Ends the drain's wait without waiting it out; what is in flight is left to its owner. */
  [Symbol.dispose](): void {
    this.#state = "drained";
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#release();
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** One timer however many requests arrive: at its end it asks how long ago the last one was. */
  #arm(): void {
    const restMs = this.#endsInMs();
    if (restMs > 0) {
      this.#timer = this.#clock.after(restMs, () => this.#arm());
      return;
    }
    this.#state = "drained";
    this.#timer = undefined;
    this.#release();
  }

  /** If nothing arrives any more. */
  #endsInMs(): number {
    return Math.min(this.#lastArrival + this.#quietMs - this.#clock.now(), this.restMs);
  }

  #release(): void {
    for (const resolve of this.#whenDrained.splice(0)) resolve();
  }
}
