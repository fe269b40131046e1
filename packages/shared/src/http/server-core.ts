import type { Socket } from "node:net";
import type { Clock } from "../clock/clock.ts";
import type { TimerWheel } from "../clock/timer-wheel.ts";
import type { Handler } from "./chain.ts";
import type { ClientPeer, RequestHead } from "./exchange.ts";
import type { ReadBuffers } from "./h1/client-reads.ts";
import type { ServerConnection } from "./h1/server-connection.ts";

/** What the connections of one server share. */
export interface ServerCore<C> {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly handler: Handler<C>;
  readonly context: (request: RequestHead, peer: ClientPeer) => C;
  readonly limits: { readonly headBytesMax: number; readonly readAheadTotalBytesMax: number };
  readonly addsForwardedFor: boolean;
  readonly readBuffers: ReadBuffers;
  readonly isDraining: boolean;
  /** Clients of tunnels are being told to leave. */
  readonly areTunnelsClosing: boolean;
  /** Bytes read ahead of held exchanges, over all connections. */
  readAheadBytes: number;
  /** `Date` of an answer made now. */
  date(): string;
  exchangeStarted(): void;
  exchangeEnded(): void;
  /** A layer has a bug: that connection dies, the process lives. Q §13. */
  handlerThrew(error: unknown): void;
  /** The connection turned out to speak HTTP/2; `read` is what it has sent so far. */
  speaksHttp2(socket: Socket, peer: ClientPeer, read: Buffer): void;
  connectionClosed(connection: ServerConnection<C>): void;
}
