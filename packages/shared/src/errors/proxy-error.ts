/** Why an exchange could not be served as asked. Closed: a new one does not compile until `errorAnswers` lists it. */
export type ErrorCode =
  | "bad-request"
  | "headers-too-large"
  | "unsupported-expectation"
  | "unsupported-transfer-encoding"
  | "unsupported-version"
  | "unexpected-probe"
  | "unknown-host"
  | "unknown-revision"
  | "queue-full"
  | "capacity-timeout"
  | "cannot-start"
  | "draining"
  | "upstream-refused"
  | "upstream-closed"
  | "upstream-reset"
  | "upstream-malformed"
  | "upstream-dial-timeout"
  | "upstream-upgrade-mismatch"
  | "no-endpoint"
  | "request-timeout"
  | "client-closed";

/** The one place where a code meets HTTP. */
export const httpStatus = {
  "bad-request": 400,
  "headers-too-large": 431,
  "unsupported-expectation": 417,
  "unsupported-transfer-encoding": 501,
  "unsupported-version": 505,
  "unexpected-probe": 400,
  "unknown-host": 404,
  "unknown-revision": 404,
  "queue-full": 503,
  "capacity-timeout": 504, // the wait limit of a held request: design §6
  "cannot-start": 503, // the pod can never start; the cause is in the text
  draining: 503,
  "upstream-refused": 502,
  "upstream-closed": 502,
  "upstream-reset": 502,
  "upstream-malformed": 502,
  "upstream-dial-timeout": 502,
  "upstream-upgrade-mismatch": 502,
  "no-endpoint": 503,
  "request-timeout": 504, // a pod had the request: RFC 9110 §15.6.5
  "client-closed": 499, // never sent, the client is gone; for logs and metrics
} as const satisfies Record<ErrorCode, number>;

export interface ProxyErrorOptions {
  readonly cause?: unknown;
  /** Sent as `Retry-After`, rounded up to whole seconds. */
  readonly retryAfterMs?: number;
}

/**
 * Something clients, networks or full queues cause. `message` is the answer's body, without the newline, so it holds
 * nothing secret. There is no HTTP in it: the edge turns `code` into a status once.
 */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: ProxyErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }

  get status(): number {
    return httpStatus[this.code];
  }
}
