/** Monotonic milliseconds, fractions allowed. Only differences mean anything; never log or persist one. */
export type MonoMs = number & { readonly unit: "mono-ms" };
/** Wall-clock milliseconds since the Unix epoch. For timestamps others read; never for measuring a duration. */
export type WallMs = number & { readonly unit: "wall-ms" };

/** Time, as everything here sees it. `RealClock` runs on the machine's, `VirtualClock` on a test's. */
export interface Clock {
  now(): MonoMs;
  wall(): WallMs;
  /** Calls `fire` once, `delayMs` from now. Disposed before then, it never fires. */
  after(delayMs: number, fire: () => void): Disposable;
  /** Calls `run` as soon as what is running now has returned. Order of calls is order of runs. */
  soon(run: () => void): void;
  /**
   * As `soon`, for one piece of work of many: once they have kept the event loop for some milliseconds, the next one
   * comes after whoever waits outside has had a turn.
   */
  soonInBulk(run: () => void): void;
}

/** RFC 3339 in UTC with whole seconds, the form of every Kubernetes timestamp. */
export function rfc3339(at: WallMs): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** As `rfc3339`, with milliseconds: when a line was written, say. */
export function rfc3339Millis(at: WallMs): string {
  return new Date(at).toISOString();
}

/** Milliseconds of an RFC 3339 text, or `undefined` if it is none. */
export function parseRfc3339(text: string): WallMs | undefined {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : (ms as WallMs);
}

/** `Date` of HTTP: `Sun, 06 Nov 1994 08:49:37 GMT`. RFC 9110 §5.6.7. */
export function httpDate(at: WallMs): string {
  return new Date(at).toUTCString();
}
