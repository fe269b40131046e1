import type { Server, Socket } from "node:net";
import type { SecureContext, TLSSocket, Server as TlsServer } from "node:tls";
import { type TimerWheel, WheelTimer } from "../../clock/timer-wheel.ts";
import { LINGER_MS } from "../limits.ts";
import { tlsLibrary } from "./library.ts";

/** What a TLS listener shows its clients, in PEM. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
  /** Whom clients' own certificates must come from; without it none is asked for. */
  readonly clientCa?: string;
}

/** What is agreed on in handshakes; Node's own choice where nothing is said. */
export interface TlsSettings {
  readonly minVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** Suites of TLS 1.2, by OpenSSL's names, joined by colons. Those of 1.3 are always on. */
  readonly ciphers?: string | undefined;
  /** Key exchange groups by OpenSSL's names, joined by colons, the one we like best first. */
  readonly curves?: string | undefined;
  /** A client that has not finished its handshake by then is gone. */
  readonly handshakeMs?: number;
}

export interface TlsListenerOptions {
  readonly certificate: ServerCertificate;
  readonly settings: TlsSettings;
  readonly contextOf: ((serverName: string) => SecureContext | undefined) | undefined;
  readonly speaksHttp2: ((serverName: string) => boolean) | undefined;
}

const HANDSHAKE_MS = 10_000;
const TLS13_CIPHERS = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
/** Records of a handshake begin with 22, no record with a letter; requests with one, in upper case. RFC 8446 §5.1. */
const [LETTER_MIN, LETTER_MAX] = [0x41, 0x5a];
/** In the words of Go's server, which people search for. Q-161. */
const PLAIN_REQUEST_TEXT =
  "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/**
 * Takes connections that are to speak TLS. The first byte of each is looked at before TLS gets it, as a client that
 * speaks plain HTTP would read nothing of what TLS has to say.
 */
export class TlsListener {
  readonly #tls: TlsServer;
  readonly #settings: TlsSettings;
  readonly #wheel: TimerWheel;
  /** Every connection, whatever has become of it. */
  readonly #sockets = new Set<Socket>();

  constructor(
    on: { readonly server: Server; readonly wheel: TimerWheel },
    { certificate, settings, contextOf, speaksHttp2 }: TlsListenerOptions,
    secured: (socket: TLSSocket) => void,
  ) {
    this.#settings = settings;
    this.#wheel = on.wheel;
    this.#tls = tlsLibrary().createServer({
      ...(contextOf === undefined ? {} : { SNICallback: sniCallback(contextOf) }),
      ...contextOptions(certificate, settings),
      ...(speaksHttp2 === undefined
        ? { ALPNProtocols: ["h2", "http/1.1"] }
        : { ALPNCallback: alpnCallback(speaksHttp2) }),
      handshakeTimeout: settings.handshakeMs ?? HANDSHAKE_MS,
    });
    this.#tls.on("secureConnection", secured);
    on.server.on("connection", (socket: Socket) => this.#greet(socket));
  }

  /** New connections see this certificate. */
  setCertificate(certificate: ServerCertificate): void {
    this.#tls.setSecureContext(contextOptions(certificate, this.#settings));
  }

  /** Cuts what is left, handshakes among it. */
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #greet(socket: Socket): void {
    const timer = new GreetingTimer(socket);
    this.#wheel.arm(timer, this.#settings.handshakeMs ?? HANDSHAKE_MS);
    this.#sockets.add(socket);
    socket.on("error", ignore); // a close follows
    socket.once("close", () => {
      this.#wheel.disarm(timer);
      this.#sockets.delete(socket);
    });
    const read = (): void => {
      const bytes: Buffer | null = socket.read();
      if (bytes === null) return;
      socket.off("readable", read);
      if (isLetter(bytes[0] ?? 0)) {
        this.#wheel.arm(timer, LINGER_MS);
        refusePlain(socket);
        return;
      }
      this.#wheel.disarm(timer); // TLS has one of its own
      socket.unshift(bytes);
      this.#tls.emit("connection", socket);
    };
    socket.on("readable", read);
    socket.once("end", () => socket.destroy()); // TLS takes the socket's handle, and hears of its end instead
  }
}

class GreetingTimer extends WheelTimer {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
  }

  timerFired(): void {
    this.#socket.destroy();
  }
}

/** What it sends on is taken and forgotten: a reset would eat the answer. */
function refusePlain(socket: Socket): void {
  socket.end(PLAIN_REQUEST_TEXT, "latin1");
  socket.resume();
}

function isLetter(byte: number): boolean {
  return byte >= LETTER_MIN && byte <= LETTER_MAX;
}

/** What is agreed on with a client of a server; `undefined` refuses the connection, as RFC 7301 §3.2 wants. */
function alpnCallback(speaksHttp2: (serverName: string) => boolean) {
  return ({ servername, protocols }: { servername: string; protocols: string[] }): string | undefined =>
    (speaksHttp2(servername) ? ["h2", "http/1.1"] : ["http/1.1"]).find((each) => protocols.includes(each));
}

function sniCallback(contextOf: (serverName: string) => SecureContext | undefined) {
  return (serverName: string, done: (error: Error | null, context?: SecureContext) => void): void =>
    done(null, contextOf(serverName));
}

function contextOptions({ cert, key, clientCa }: ServerCertificate, settings: TlsSettings) {
  const { minVersion, maxVersion, ciphers, curves } = settings;
  return {
    cert,
    key,
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ciphers === undefined || ciphers === "" ? {} : { ciphers: `${TLS13_CIPHERS}:${ciphers}` }),
    ...(curves === undefined || curves === "" ? {} : { ecdhCurve: curves }),
  };
}

function ignore(): void {}
