import type {
  ErrorCode,
  Exchange,
  ForwardFailure,
  ForwardFailureHandler,
  ProxyError,
  Upstream,
} from "@rouse/shared";
import type { QueueProxyContext } from "../accept/context.ts";

/** Of these the program cannot know that there was a request. */
const NEVER_CONNECTED: ReadonlySet<ErrorCode> = new Set(["upstream-refused", "upstream-dial-timeout"]);

/** The program's two loopback addresses; the second is asked for when the first refuses. */
export interface ProgramAddresses {
  readonly ipv4: Upstream;
  ipv6(): Upstream;
}

/**
 * The end of the chain: sends the request to the program on 127.0.0.1, and to [::1] if nobody listens there (E-20).
 * What cannot be sent is answered with the first address's words, and told to `failed`.
 */
export class ForwardToProgram implements ForwardFailureHandler<QueueProxyContext> {
  readonly #program: ProgramAddresses;
  readonly #failed: (error: ProxyError) => void;

  constructor(program: ProgramAddresses, failed: (error: ProxyError) => void) {
    this.#program = program;
    this.#failed = failed;
  }

  forward(exchange: Exchange<QueueProxyContext>): void {
    exchange.forward(this.#program.ipv4, this);
  }

  forwardFailed(exchange: Exchange<QueueProxyContext>, { error, isRetriable }: ForwardFailure): void {
    const { context } = exchange;
    if (error.code === "upstream-refused" && isRetriable && context.refusal === undefined) {
      context.refusal = error;
      exchange.forward(this.#program.ipv6(), this);
      return;
    }
    const isStillRefused = error.code === "upstream-refused" && context.refusal !== undefined;
    const told = isStillRefused ? (context.refusal ?? error) : error;
    context.upstreamError = told;
    context.isNotStarted = isRetriable && NEVER_CONNECTED.has(told.code);
    if (told.code !== "client-closed") this.#failed(told);
    exchange.fail(told);
  }
}
