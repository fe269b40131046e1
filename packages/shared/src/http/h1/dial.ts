import type { Clock } from "../../clock/clock.ts";
import { ProxyError } from "../../errors/proxy-error.ts";
import type { Random } from "../../random.ts";
import { upstreamError } from "../upstream-error.ts";

/** the first two attempts may take this, each further one 1.4 times as long, and up to a tenth more by chance. */
const ATTEMPT_MS = 50;
const ATTEMPT_GROWTH = 1.4;
const ATTEMPT_JITTER = 0.1;
const PAUSE_MS_MIN = 30;
const PAUSE_MS_MAX = 60;

/** What a dial opens. */
export interface Dialled {
  destroy(): void;
}

export interface DialHooks<T extends Dialled> {
  readonly retriesMax: number;
  open(): T;
  ready(connection: T): void;
  failed(error: ProxyError): void;
  /** It has ended, however; before `ready` and `failed`. */
  over?(): void;
}

/**
 * Connecting to one endpoint: attempts that time out are repeated, as an address that was just given to a pod swallows
 * the first packets; a refusal or reset is final. Ends exactly once, by `ready`, by `failed` or by being disposed.
 */
export class Dial<T extends Dialled> implements Disposable {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #address: string;
  readonly #hooks: DialHooks<T>;
  readonly #startedAtMs: number;
  #attempts = 0;
  #connection: T | undefined;
  #timer: Disposable | undefined;
  #isOver = false;

  constructor(
    deps: { readonly clock: Clock; readonly random: Random },
    to: { readonly address: string },
    hooks: DialHooks<T>,
  ) {
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#address = to.address;
    this.#hooks = hooks;
    this.#startedAtMs = deps.clock.now();
  }

  start(): void {
    if (this.#isOver) return; // given up before it began
    const growth = ATTEMPT_GROWTH ** Math.max(0, this.#attempts - 1);
    const limitMs = ATTEMPT_MS * growth * (1 + this.#random.next() * ATTEMPT_JITTER);
    this.#attempts++;
    this.#connection = this.#hooks.open();
    this.#timer = this.#clock.after(limitMs, () => this.#timedOut());
  }

  /** The socket is open. */
  connected(connection: T): void {
    if (this.#isOver || connection !== this.#connection) {
      connection.destroy();
      return;
    }
    this.#finish();
    this.#hooks.ready(connection);
  }

  /** The socket closed before it was open. */
  closed(connection: T, cause: NodeJS.ErrnoException | undefined): void {
    if (this.#isOver || connection !== this.#connection) return;
    this.#finish();
    this.#hooks.failed(upstreamError(this.#address, cause, "dial"));
  }

  /** Ends it for a reason of ours. */
  fail(error: ProxyError): void {
    if (this.#isOver) return;
    this[Symbol.dispose]();
    this.#hooks.failed(error);
  }

  [Symbol.dispose](): void {
    const connection = this.#connection;
    this.#finish();
    connection?.destroy();
  }

  #timedOut(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.destroy();
    if (this.#attempts > this.#hooks.retriesMax) {
      this.#finish();
      const seconds = ((this.#clock.now() - this.#startedAtMs) / 1_000).toFixed(2);
      this.#hooks.failed(
        new ProxyError("upstream-dial-timeout", `timed out dialing ${this.#address} after ${seconds}s`),
      );
      return;
    }
    this.#timer = this.#clock.after(this.#random.integer(PAUSE_MS_MIN, PAUSE_MS_MAX), () => this.start());
  }

  #finish(): void {
    if (!this.#isOver) this.#hooks.over?.();
    this.#isOver = true;
    this.#connection = undefined;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}
