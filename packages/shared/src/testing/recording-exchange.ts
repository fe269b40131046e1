import type { MonoMs } from "../clock/clock.ts";
import { ProxyError } from "../errors/proxy-error.ts";
import type {
  ClientPeer,
  Exchange,
  ExchangeObserver,
  ExchangeOutcome,
  ExchangeState,
  ForwardFailureHandler,
  HeadFields,
  HttpVersion,
  LocalResponse,
  RequestHead,
  ResponseHead,
  Upstream,
} from "../http/exchange.ts";
import { assert } from "../invariant.ts";

type Fields = readonly (readonly [name: string, value: string])[];

export interface RecordingRequest {
  readonly method?: string;
  readonly target?: string;
  readonly version?: HttpVersion;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly client?: Partial<ClientPeer>;
  readonly receivedAt?: number;
}

/** One attempt to forward. */
export interface RecordedForward {
  readonly upstream: Upstream;
  /** The request's fields as this attempt would send them. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

/**
 * An exchange without sockets: remembers what layers did to it, and plays client and upstream when told. For unit
 * tests of layers; what only wires show is tested over real ones.
 */
export class RecordingExchange<C> implements Exchange<C> {
  readonly request: RequestHead;
  readonly client: ClientPeer;
  readonly context: C;
  readonly receivedAt: MonoMs;
  readonly forwards: RecordedForward[] = [];
  readonly responseHeaders: (readonly [name: string, value: string])[] = [];
  answer: LocalResponse | undefined;
  failure: ProxyError | undefined;
  outcome: ExchangeOutcome | undefined;
  requestBodyBytes = 0;
  responseBodyBytes = 0;
  closesAfterResponse = false;
  #state: ExchangeState = "received";
  #status = 0;
  #observers: ExchangeObserver<C>[] = [];
  #handler: ForwardFailureHandler<C> | undefined;
  #forwardFailed: ((isRetriable: boolean, error: ProxyError) => void) | undefined;
  readonly #outgoing: Map<string, string[]>;

  constructor(context: C, request: RecordingRequest = {}) {
    this.context = context;
    this.request = new RecordedHead(request);
    this.client = { ip: "127.0.0.1", port: 50_000, isTls: false, ...request.client };
    this.receivedAt = (request.receivedAt ?? 0) as MonoMs;
    this.#outgoing = new Map();
    for (const [name, value] of this.request.entries()) this.addRequestHeader(name, value);
  }

  get state(): ExchangeState {
    return this.#state;
  }

  get status(): number {
    return this.#status;
  }

  /** What would be sent upstream for the field now. */
  outgoing(name: string): readonly string[] {
    return this.#outgoing.get(name.toLowerCase()) ?? [];
  }

  setRequestHeader(name: string, value: string): void {
    this.#outgoing.set(name.toLowerCase(), [value]);
  }

  addRequestHeader(name: string, value: string): void {
    const values = this.#outgoing.get(name.toLowerCase()) ?? [];
    values.push(value);
    this.#outgoing.set(name.toLowerCase(), values);
  }

  removeRequestHeader(name: string): void {
    this.#outgoing.delete(name.toLowerCase());
  }

  addResponseHeader(name: string, value: string): void {
    this.responseHeaders.push([name, value]);
  }

  setResponseHeader(name: string, value: string): void {
    this.removeResponseHeader(name);
    this.addResponseHeader(name, value);
  }

  removeResponseHeader(name: string): void {
    const kept = this.responseHeaders.filter(([other]) => other.toLowerCase() !== name.toLowerCase());
    this.responseHeaders.splice(0, Infinity, ...kept);
  }

  closeAfterResponse(): void {
    this.closesAfterResponse = true;
  }

  observe(observer: ExchangeObserver<C>): void {
    this.#observers.push(observer);
  }

  respond(response: LocalResponse): void {
    if (this.#state === "ended") return;
    assert(this.#status === 0, "answered twice");
    this.answer = response;
    this.#begin(response.status);
    this.#end({ kind: "completed" });
  }

  forward(upstream: Upstream, onFailure?: ForwardFailureHandler<C>): void {
    if (this.#state === "ended") return;
    assert(this.#state === "received", `forwarded while ${this.#state}`);
    this.#state = "forwarding";
    this.forwards.push({
      upstream,
      headers: new Map([...this.#outgoing].map(([name, values]) => [name, [...values]])),
    });
    this.#handler = onFailure;
    this.#forwardFailed = (isRetriable, error) => {
      this.#state = "received";
      if (onFailure === undefined) this.fail(error);
      else onFailure.forwardFailed(this, { error, isRetriable });
    };
  }

  fail(error: ProxyError): void {
    if (this.#state === "ended") return;
    this.failure = error;
    if (this.#status !== 0) {
      this.#end({ kind: "aborted", error });
      return;
    }
    this.answer = { status: error.status, body: error.message };
    this.#begin(error.status);
    this.#end({ kind: "completed" });
  }

  abort(error: ProxyError): void {
    if (this.#state === "ended") return;
    this.failure = error;
    this.#end({ kind: "aborted", error });
  }

  // What the other sides do, told by the test.

  /**
   * The upstream sends its response head. 1xx leaves the exchange waiting for the final one; an answer that whoever
   * forwarded it does not want is a failed attempt.
   */
  upstreamStarts(status = 200, headers: Readonly<Record<string, string>> = {}): void {
    assert(this.#state === "forwarding", `a response while ${this.#state}`);
    const answer = new RecordedResponseHead(status, Object.entries(headers));
    const isFinal = status >= 200;
    const error = isFinal ? this.#handler?.answerArrived?.(this, answer) : undefined;
    if (error === undefined) this.#begin(status);
    else this.upstreamFails({ isRetriable: true, error });
  }

  upstreamSends(bytes: number): void {
    this.responseBodyBytes += bytes;
    for (const observer of this.#observers) observer.responseProgressed?.(this, bytes);
  }

  /** The upstream answers in full. */
  upstreamCompletes(status = 200): void {
    if (this.#status === 0) this.upstreamStarts(status);
    this.#end({ kind: "completed" });
  }

  /** The attempt fails before any response byte. */
  upstreamFails(options: { readonly isRetriable: boolean; readonly error?: ProxyError }): void {
    assert(this.#forwardFailed !== undefined && this.#state === "forwarding", "no attempt to fail");
    const error = options.error ?? new ProxyError("upstream-refused", "connect: connection refused");
    this.#forwardFailed(options.isRetriable, error);
  }

  clientLeaves(): void {
    if (this.#state !== "ended") this.#end({ kind: "client-closed" });
  }

  #begin(status: number): void {
    if (status >= 200 || status === 101) {
      for (const observer of this.#observers) observer.responseStarting?.(this, status);
      this.#status = status;
      this.#state = status === 101 ? "tunnelled" : "responding";
    }
    for (const observer of this.#observers) observer.responseStarted?.(this, status);
  }

  #end(outcome: ExchangeOutcome): void {
    this.#state = "ended";
    this.outcome = outcome;
    for (const observer of this.#observers.toReversed()) observer.ended?.(this, outcome); // the first layer last
  }
}

class RecordedFields implements HeadFields {
  readonly #fields: Fields;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  get(name: string): string | undefined {
    return this.all(name)[0];
  }

  has(name: string): boolean {
    return this.all(name).length > 0;
  }

  all(name: string): readonly string[] {
    return this.#fields
      .filter(([field]) => field.toLowerCase() === name.toLowerCase())
      .map(([, value]) => value);
  }

  entries(): IterableIterator<readonly [name: string, value: string]> {
    return this.#fields[Symbol.iterator]();
  }
}

class RecordedHead extends RecordedFields implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly version: HttpVersion;

  constructor(request: RecordingRequest) {
    const host = request.host ?? "hello.default.localhost";
    const fields = Object.entries(request.headers ?? {}).flatMap(([name, value]) =>
      (typeof value === "string" ? [value] : value).map((one) => [name, one] as const),
    );
    super([["Host", host], ...fields]);
    this.method = request.method ?? "GET";
    this.target = request.target ?? "/";
    this.version = request.version ?? "1.1";
    this.host = host;
  }
}

class RecordedResponseHead extends RecordedFields implements ResponseHead {
  readonly status: number;

  constructor(status: number, fields: Fields) {
    super(fields);
    this.status = status;
  }
}
