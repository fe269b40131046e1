import {
  type Clock,
  encodeStatMessages,
  type Logger,
  type Random,
  type ReportKind,
  type StatMessage,
  type StatSink,
} from "@rouse/shared";
import { WebSocket } from "ws";
import { Outbox } from "./outbox.ts";

/** TCP and upgrade together. */
const HANDSHAKE_MS = 3_000;
/** */
const PING_MS = 3_330;
const PONG_MS_MAX = 10_000;
/** a write that takes longer has nobody at its other end. */
const WRITE_MS_MAX = 10_000;
/** so many attempts, then from the beginning. */
const ATTEMPTS = 20;
const DELAY_MS_FIRST = 100;
const DELAY_FACTOR = 1.3;
const DELAY_STRETCH = 0.5;

export interface AutoscalerLinkDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Before the attempt after `failed` failed ones: 100 ms growing by 1.3, stretched by up to a half; none after 20. A-95. */
export function reconnectDelayMs(failed: number, random: Random): number {
  const inCycle = failed % ATTEMPTS;
  if (inCycle === 0) return 0;
  return DELAY_MS_FIRST * DELAY_FACTOR ** (inCycle - 1) * (1 + DELAY_STRETCH * random.next());
}

/**
 * The one connection to the autoscaler: binary WebSocket messages, one writer, pokes first, in order. It connects for
 * as long as it is open, and pings to find out that it has been lost. A-93..A-99, A-150.
 */
export class AutoscalerLink implements StatSink, Disposable {
  readonly #deps: AutoscalerLinkDeps;
  readonly #url: string;
  readonly #outbox = new Outbox();
  #socket: WebSocket | undefined;
  #isConnected = false;
  #isWriting = false;
  #isClosed = false;
  #failed = 0;
  #errors = 0;
  /** The next attempt, or the next ping. */
  #timer: Disposable | undefined;
  #pongTimer: Disposable | undefined;
  #writeTimer: Disposable | undefined;

  /** Begins to connect. @param url `ws://host:port`; the path is `/` */
  constructor(deps: AutoscalerLinkDeps, url: string) {
    this.#deps = deps;
    this.#url = url;
    this.#connect();
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Established connections that were lost. */
  get errors(): number {
    return this.#errors;
  }

  /** Messages that were never sent. */
  get dropped(): number {
    return this.#outbox.dropped;
  }

  send(batch: readonly StatMessage[], kind: ReportKind = "period"): void {
    if (this.#isClosed || (kind === "period" && !this.#isConnected)) return; // a period is of no use later: A-97
    this.#outbox.put(batch, kind, this.#deps.clock.now());
    this.#write();
  }

  /** Sends what can be sent at once, and closes. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopTimers();
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isConnected = false;
    socket?.removeAllListeners();
    socket?.on("error", () => {});
    if (socket?.readyState === WebSocket.OPEN) socket.close(1_000);
    else socket?.terminate();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #connect(): void {
    this.#timer = undefined;
    const socket = new WebSocket(this.#url, {
      handshakeTimeout: HANDSHAKE_MS,
      perMessageDeflate: false,
      followRedirects: false,
    });
    this.#socket = socket;
    socket.on("open", () => this.#opened(socket));
    socket.on("pong", () => this.#expectPong(socket));
    socket.on("error", (error) =>
      this.#deps.log.debug("autoscaler connection failed", { error: error.message }),
    );
    socket.on("close", (code) => this.#closed(socket, code));
  }

  #opened(socket: WebSocket): void {
    this.#isConnected = true;
    this.#failed = 0;
    this.#deps.log.info("connected to the autoscaler", { url: this.#url });
    this.#expectPong(socket);
    this.#pingLater(socket);
    this.#write();
  }

  #closed(socket: WebSocket, code: number): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#stopTimers();
    this.#isWriting = false;
    this.#outbox.disconnected();
    if (this.#isConnected) {
      this.#isConnected = false;
      this.#errors++;
      this.#failed = 0; // the first attempt after a loss is made at once: it may be another replica that answers
      this.#deps.log.warn("lost the autoscaler", { code, dropped: this.#outbox.dropped });
      this.#timer = this.#deps.clock.after(0, () => this.#connect());
      return;
    }
    this.#failed++;
    const delayMs = reconnectDelayMs(this.#failed, this.#deps.random);
    this.#timer = this.#deps.clock.after(delayMs, () => this.#connect());
  }

  #pingLater(socket: WebSocket): void {
    this.#timer = this.#deps.clock.after(PING_MS, () => {
      socket.ping();
      this.#pingLater(socket);
    });
  }

  #expectPong(socket: WebSocket): void {
    this.#pongTimer?.[Symbol.dispose]();
    this.#pongTimer = this.#deps.clock.after(PONG_MS_MAX, () => socket.terminate());
  }

  #write(): void {
    const socket = this.#socket;
    if (socket === undefined || !this.#isConnected || this.#isWriting) return;
    const batch = this.#outbox.take(this.#deps.clock.now());
    if (batch === undefined) return;
    this.#isWriting = true;
    this.#writeTimer = this.#deps.clock.after(WRITE_MS_MAX, () => socket.terminate());
    socket.send(encodeStatMessages(batch), { binary: true }, () => {
      if (this.#socket !== socket) return;
      this.#writeTimer?.[Symbol.dispose]();
      this.#isWriting = false;
      this.#write();
    });
  }

  #stopTimers(): void {
    for (const timer of [this.#timer, this.#pongTimer, this.#writeTimer]) timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}
