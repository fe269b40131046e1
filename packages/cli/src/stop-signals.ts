import type { Clock, MonoMs } from "@rouse/shared";

/** Signals that come this close together are one request: a terminal and a wrapper may both send it. */
const SAME_REQUEST_MS = 500;

/**
 * Aborts at the first request to end: Ctrl-C, TERM, a closed terminal, or nobody reading the output any more. A second
 * request calls `force`.
 */
export function stopSignals(
  process: NodeJS.EventEmitter & { readonly stdout: NodeJS.EventEmitter },
  clock: Clock,
  force: () => void,
): AbortSignal {
  const stop = new AbortController();
  let askedAt: MonoMs | undefined;
  const ask = (): void => {
    if (askedAt !== undefined && clock.now() - askedAt > SAME_REQUEST_MS) force();
    askedAt ??= clock.now();
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, ask);
  process.stdout.on("error", ask);
  return stop.signal;
}
