import { type Clock, formatDuration, type Logger } from "@rouse/shared";

/** What ends with the process, in the order it ends. */
export interface ShutDownParts {
  /** Resolves when traffic has moved away. */
  readonly quiet: () => Promise<void>;
  /** Stop accepting and resolve when their requests are over: side listeners with the main one, TLS after them. */
  readonly listeners: readonly { readonly name: string; readonly drain: () => Promise<unknown> }[];
  /** Asks the clients of WebSockets to go elsewhere. */
  readonly closeTunnels: () => void;
  /** Resolves when nothing is in flight: tunnels and streams as well. */
  readonly idle: () => Promise<void>;
  readonly inFlight: () => number;
  /** Time left before the kubelet ends us; infinite where it is not known. */
  readonly restMs: () => number;
  /** Sends what telemetry is left. */
  readonly flush: () => Promise<void>;
}

/** For what is in flight once nothing listens any more. Q §8, step 4 */
const IN_FLIGHT_MS = 60_000;
/** What clients of WebSockets have to say goodbye, once they are told to go elsewhere (1001): this, or a quarter of the rest. */
const FAREWELL_MS_MAX = 5_000;
const FLUSH_MS = 10_000;

/**
 * The sequence of §8 after a signal. No step is waited for beyond what the pod has left to live, so that the last lines
 * of the log are written and the process ends by itself (E-10).
 */
export async function shutDown(
  { clock, log, quietMs }: { readonly clock: Clock; readonly log: Logger; readonly quietMs: number },
  parts: ShutDownParts,
): Promise<void> {
  log.info("Received TERM signal, attempting to gracefully shutdown servers.");
  log.info(`Sleeping ${formatDuration(quietMs)} to allow K8s propagation of non-ready state`);
  const quiet = parts.quiet();
  using _farewell = beforeEnd(clock, parts.restMs(), parts.closeTunnels);
  await quiet;
  const limitMs = Math.min(IN_FLIGHT_MS, parts.restMs());
  using _lastFarewell = beforeEnd(clock, limitMs, parts.closeTunnels);
  const stopped = Promise.all(
    parts.listeners.map(async ({ name, drain }) => {
      log.info(`Shutting down server: ${name}`);
      await drain();
    }),
  );
  if (!(await within(clock, limitMs, Promise.all([stopped, parts.idle()])))) {
    log.warn("Hijack connection drain failed", { running: parts.inFlight() });
  }
  log.info("Shutdown complete, exiting...");
  await within(clock, FLUSH_MS, parts.flush());
}

function beforeEnd(clock: Clock, restMs: number, run: () => void): Disposable | undefined {
  if (!Number.isFinite(restMs)) return undefined;
  return clock.after(restMs - Math.min(FAREWELL_MS_MAX, restMs / 4), run);
}

async function within(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<boolean> {
  const timeUp = Promise.withResolvers<false>();
  using _timer = clock.after(limitMs, () => timeUp.resolve(false));
  return await Promise.race([work.then(() => true), timeUp.promise]);
}
