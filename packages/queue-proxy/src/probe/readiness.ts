import {
  attempt,
  awaitReady,
  type Clock,
  type Logger,
  type Probe,
  type ProbeTarget,
  probeTarget,
} from "@rouse/shared";

/** Longest run of the aggressive mode. */
const AGGRESSIVE_RUN_MS = 10_000;
/** For one attempt in standard mode where the probe names none. */
const STANDARD_TIMEOUT_MS = 1_000;

export interface ReadinessDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Whether the program can take requests. Nothing is asked in the background and no answer is kept: each question
 * starts a run, and those that come while it is under way share its result. A probe without a period
 * asks until it succeeds, for 10 s at most; one with a period asks once, and kubelet does the counting (Q-94..Q-96).
 */
export class Readiness {
  readonly #deps: ReadinessDeps;
  readonly #target: ProbeTarget;
  readonly #probe: Probe | undefined;
  readonly #closed = new AbortController();
  #run: Promise<boolean> | undefined;
  /** The watch over a starting program; a check that comes meanwhile waits for its result instead of asking as well. */
  #starting: Promise<boolean> | undefined;

  constructor(deps: ReadinessDeps, userPort: number, probe: Probe | undefined) {
    this.#deps = deps;
    this.#probe = probe;
    this.#target = probeTarget(probe, { ip: "127.0.0.1", port: userPort });
  }

  /** Never rejects. */
  check(): Promise<boolean> {
    this.#run ??= this.#start().finally(() => {
      this.#run = undefined;
    });
    return this.#run;
  }

  /** Asks from now on until the program is ready, or `signal` aborts: `false`. The way a starting pod is watched. */
  awaitReady(signal: AbortSignal): Promise<boolean> {
    const starting = awaitReady(this.#target, {
      clock: this.#deps.clock,
      signal: AbortSignal.any([signal, this.#closed.signal]),
      successThreshold: this.#probe?.successThreshold ?? 1,
      ...this.#attemptLimit(),
    }).finally(() => {
      if (this.#starting === starting) this.#starting = undefined;
    });
    this.#starting = starting;
    return starting;
  }

  /** Ends every run, not ready. */
  [Symbol.dispose](): void {
    this.#closed.abort();
  }

  async #start(): Promise<boolean> {
    const { clock, log } = this.#deps;
    if (this.#starting !== undefined) {
      const timeUp = Promise.withResolvers<false>();
      using _timer = clock.after(AGGRESSIVE_RUN_MS, () => timeUp.resolve(false));
      return await Promise.race([this.#starting, timeUp.promise]);
    }
    if ((this.#probe?.periodSeconds ?? 0) > 0) {
      const { timeoutMs = STANDARD_TIMEOUT_MS } = this.#attemptLimit();
      const result = await attempt(this.#target, { clock, timeoutMs, signal: this.#closed.signal });
      if (result.kind === "not-ready") log.debug("not ready", { because: result.because });
      return result.kind === "ready";
    }
    const limit = new AbortController();
    using _timer = clock.after(AGGRESSIVE_RUN_MS, () => limit.abort());
    return await awaitReady(this.#target, {
      clock,
      signal: AbortSignal.any([limit.signal, this.#closed.signal]),
      successThreshold: this.#probe?.successThreshold ?? 1,
    });
  }

  #attemptLimit(): { readonly timeoutMs?: number } {
    const seconds = this.#probe?.timeoutSeconds ?? 0;
    return seconds > 0 ? { timeoutMs: seconds * 1_000 } : {};
  }
}
