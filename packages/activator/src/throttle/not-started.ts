import { headers, ProxyError, type ResponseHead } from "@rouse/shared";

/** A queue-proxy's answer that says its program was never given the request. */
export interface NotStarted {
  readonly error: ProxyError;
  /** The program is not there at all; else it has too much to do. */
  readonly isProgramGone: boolean;
}

const BAD_GATEWAY = 502;
const UNAVAILABLE = 503;

/**
 * | answer | marked | is |
 * |---|---|---|
 * | 502 | yes | the program cannot be reached |
 * | 503 | yes | the queue beside the pod is full |
 * | any other | no matter | the program's own, or may be (A-106) |
 */
export function notStarted(answer: ResponseHead): NotStarted | undefined {
  const { status } = answer;
  if ((status !== BAD_GATEWAY && status !== UNAVAILABLE) || !answer.has(headers.notStarted)) return undefined;
  const isProgramGone = status === BAD_GATEWAY;
  return {
    isProgramGone,
    error: isProgramGone
      ? new ProxyError("upstream-refused", "the pod's program cannot be reached")
      : new ProxyError("queue-full", "the queue beside the pod is full"),
  };
}
