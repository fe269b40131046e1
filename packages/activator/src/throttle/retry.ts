import type { Exchange, ForwardFailure, ProxyError } from "@rouse/shared";
import type { Ejection } from "../balance/pod-set.ts";
import type { NotStarted } from "./not-started.ts";

/** Attempts for one request: with the waits between them, about half a minute. */
const ATTEMPTS_MAX = 20;
/** A pod whose certificate is not one to trust will hardly have another in a moment. A-124 */
const UNTRUSTED_ATTEMPTS_MAX = 3;
/** Before the n-th repetition at a pod that is kept: 50 ms doubling to 2 s. */
const WAIT_MS_FIRST = 50;
const WAIT_MS_MAX = 2_000;

/** A repetition costs as much as this many requests bring in. */
const REQUESTS_PER_REPETITION = 5;
/** Repetitions a revision may have at once. */
const REPETITIONS_MAX = 100;

/** What becomes of a request whose attempt failed before any byte of an answer. */
export type Retry =
  /** It goes to whichever pod has a slot, or waits for one, in its old place. */
  | { readonly kind: "now" }
  /** It waits out of the queue: there is no other pod to speak of. */
  | { readonly kind: "later"; readonly afterMs: number }
  | { readonly kind: "never" };

export interface FailedAttempt {
  readonly failure: ForwardFailure;
  /** Attempts so far, this one included. */
  readonly attempts: number;
  /** It may have run, and running it again changes nothing. */
  readonly isRepeatable: boolean;
  /** What became of the pod. */
  readonly ejection: Ejection["kind"];
  readonly budget: RetryBudget;
}

/**
 * | the request | in the budget | beyond it |
 * |---|---|---|
 * | never left, and the pod is out | again now | the same |
 * | never left, and the pod is kept | again later | the same |
 * | may have run, is safe and without a body | again now | never |
 * | may have run otherwise, such as any POST | never | never |
 *
 * What never left has cost no pod anything, so it is bounded by its attempts alone.
 */
export function decideRetry({ failure, attempts, isRepeatable, ejection, budget }: FailedAttempt): Retry {
  if (attempts >= (isUntrusted(failure.error) ? UNTRUSTED_ATTEMPTS_MAX : ATTEMPTS_MAX))
    return { kind: "never" };
  if (!failure.isRetriable) return isRepeatable && budget.spend() ? { kind: "now" } : { kind: "never" };
  if (ejection !== "kept") return { kind: "now" };
  return { kind: "later", afterMs: Math.min(WAIT_MS_FIRST * 2 ** (attempts - 1), WAIT_MS_MAX) };
}

/**
 * Whether a request may go to another pod that a queue-proxy has not given to its program. One whose program is not
 * there costs nobody anything; one whose queue is full is a repetition like any other, so that retries are not what
 * keeps queues full.
 */
export function maySendAgain(
  { isProgramGone }: NotStarted,
  { attempts, budget }: { readonly attempts: number; readonly budget: RetryBudget },
): boolean {
  return attempts < ATTEMPTS_MAX && (isProgramGone || budget.spend());
}

/** Keeps what runs twice below a fifth of the requests, so that it never is what overloads the pods that are left. */
export class RetryBudget {
  #requests = REPETITIONS_MAX * REQUESTS_PER_REPETITION;

  /** A request had its first attempt. */
  earn(): void {
    this.#requests = Math.min(REPETITIONS_MAX * REQUESTS_PER_REPETITION, this.#requests + 1);
  }

  spend(): boolean {
    if (this.#requests < REQUESTS_PER_REPETITION) return false;
    this.#requests -= REQUESTS_PER_REPETITION;
    return true;
  }
}

const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** Safe by its method (RFC 9110 §9.2.1), nothing of a body sent, and no change of protocol. */
export function isRepeatable({ request, requestBodyBytes }: Exchange): boolean {
  return SAFE.has(request.method) && requestBodyBytes === 0 && !request.has("Upgrade");
}

/** What Node calls certificates that do not stand the test. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

function isUntrusted({ cause }: ProxyError): boolean {
  return cause instanceof Error && "code" in cause && UNTRUSTED.has(String(cause.code));
}
