import type { Clock, MonoMs } from "../clock/clock.ts";
import { type TimerWheel, WheelTimer } from "../clock/timer-wheel.ts";
import { ProxyError } from "../errors/proxy-error.ts";
import type { Handler, Layer } from "../http/chain.ts";
import type { Exchange, ExchangeObserver } from "../http/exchange.ts";

/** How long an exchange may take. 0 switches a limit off. All begin when the exchange enters the layer. Q §5. */
export interface DurationLimits {
  /** To the last byte, whatever happens. */
  readonly timeoutMs: number;
  /** To the first status line, 1xx included. */
  readonly responseStartTimeoutMs: number;
  /** Between two writes to the client, and before the first. */
  readonly idleTimeoutMs: number;
}

/** Which limit ended an exchange. */
export type ExceededLimit = "total" | "response-start" | "idle";

export interface LimitDurationOptions<C> {
  /** The limits of one exchange, asked once. */
  readonly limitsOf: (exchange: Exchange<C>) => DurationLimits;
  /** Text of the 504. */
  readonly message: string;
  /** Told of each exchange that a limit ends, before it ends. */
  readonly exceeded?: (exchange: Exchange<unknown>, limit: ExceededLimit) => void;
}

interface DeadlineOwner {
  deadlineReached(deadline: Deadline, now: MonoMs): void;
}

const NO_LIMITS: DurationLimits = { timeoutMs: 0, responseStartTimeoutMs: 0, idleTimeoutMs: 0 };

/** The one timer of one exchange, for whichever of its limits comes first. Lives in the exchange's context. */
export class Deadline extends WheelTimer {
  owner: DeadlineOwner | undefined;
  exchange: Exchange<unknown> | undefined;
  limits = NO_LIMITS;
  startedAt = 0;
  lastWriteAt = 0;
  isResponseStarted = false;

  override timerFired(now: MonoMs): void {
    this.owner?.deadlineReached(this, now);
  }
}

/**
 * Ends exchanges that take too long: with 504 while the client has seen nothing, by cutting the connection afterwards,
 * so that nobody takes half an answer for a whole one. A 101 starts the response and tunnel bytes
 * count as writes, so a busy WebSocket is ended by the total limit alone. The idle limit is armed anew when it
 * runs out, not at each write.
 */
export class LimitDuration<C extends { readonly deadline: Deadline }>
  implements Layer<C>, ExchangeObserver<C>, DeadlineOwner
{
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  readonly #options: LimitDurationOptions<C>;

  constructor(deps: { readonly clock: Clock; readonly wheel: TimerWheel }, options: LimitDurationOptions<C>) {
    this.#clock = deps.clock;
    this.#wheel = deps.wheel;
    this.#options = options;
  }

  handle(exchange: Exchange<C>, next: Handler<C>): void {
    const { deadline } = exchange.context;
    const limits = this.#options.limitsOf(exchange);
    const now = this.#clock.now();
    deadline.owner = this;
    deadline.exchange = exchange;
    deadline.limits = limits;
    deadline.startedAt = now;
    deadline.lastWriteAt = now;
    const dueAt = earliest(deadline);
    if (Number.isFinite(dueAt)) {
      this.#wheel.arm(deadline, dueAt - now, now);
      exchange.observe(this);
    }
    next(exchange);
  }

  responseStarted({ context: { deadline } }: Exchange<C>): void {
    deadline.isResponseStarted = true;
    if (deadline.limits.idleTimeoutMs > 0) deadline.lastWriteAt = this.#clock.now();
  }

  responseProgressed({ context: { deadline } }: Exchange<C>): void {
    if (deadline.limits.idleTimeoutMs > 0) deadline.lastWriteAt = this.#clock.now();
  }

  ended({ context: { deadline } }: Exchange<C>): void {
    this.#wheel.disarm(deadline);
    deadline.exchange = undefined;
  }

  deadlineReached(deadline: Deadline, now: MonoMs): void {
    const { exchange } = deadline;
    if (exchange === undefined) return;
    const limit = exceeded(deadline, now);
    if (limit === undefined) {
      const dueAt = earliest(deadline);
      if (Number.isFinite(dueAt)) this.#wheel.arm(deadline, dueAt - now, now);
      return;
    }
    this.#options.exceeded?.(exchange, limit);
    exchange.fail(new ProxyError("request-timeout", this.#options.message));
  }
}

/** When the next limit that still counts runs out; infinite if none does. */
function earliest({ limits, startedAt, lastWriteAt, isResponseStarted }: Deadline): number {
  return Math.min(
    limits.timeoutMs > 0 ? startedAt + limits.timeoutMs : Number.POSITIVE_INFINITY,
    limits.responseStartTimeoutMs > 0 && !isResponseStarted
      ? startedAt + limits.responseStartTimeoutMs
      : Number.POSITIVE_INFINITY,
    limits.idleTimeoutMs > 0 ? lastWriteAt + limits.idleTimeoutMs : Number.POSITIVE_INFINITY,
  );
}

function exceeded(deadline: Deadline, now: MonoMs): ExceededLimit | undefined {
  const { limits, startedAt, lastWriteAt, isResponseStarted } = deadline;
  if (limits.timeoutMs > 0 && now - startedAt >= limits.timeoutMs) return "total";
  const isLate = limits.responseStartTimeoutMs > 0 && now - startedAt >= limits.responseStartTimeoutMs;
  if (isLate && !isResponseStarted) return "response-start";
  return limits.idleTimeoutMs > 0 && now - lastWriteAt >= limits.idleTimeoutMs ? "idle" : undefined;
}
