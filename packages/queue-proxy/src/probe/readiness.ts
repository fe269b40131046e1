import {
  type AttemptResult,
  type AwaitReadyOptions,
  attempt,
  awaitReady,
  type Clock,
  type Logger,
  type Probe,
  probeTarget,
} from "@rouse/shared";
import { attemptDetected } from "./attempt-detected.ts";

/** Longest run of the aggressive mode. */
const AGGRESSIVE_RUN_MS = 10_000;
/** For one attempt in standard mode where the probe names none. */
const STANDARD_TIMEOUT_MS = 1_000;
/** A program that is not up after this many attempts, about two seconds, is asked at the reference's pace. */
const PATIENT_AFTER = 400;

export interface ReadinessDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ReadinessOptions {
  /** Where a probe that names no port asks. */
  readonly userPort: number;
  /**
   * All must succeed. Empty: always ready. One that is `undefined` asks for an open port, the default of
   * a program without a probe.
   */
  readonly probes: readonly (Probe | undefined)[];
  /** Asks by HTTP/2 first. */
  readonly detectsHttp2?: boolean;
}

/**
 * Whether the program can take requests. Nothing is asked in the background and no answer is kept: each question
 * starts a run, and those that come while it is under way share its result. A probe without a period
 * asks until it succeeds, for 10 s at most; one with a period asks once, and kubelet does the counting (Q-94..Q-96).
 */
export class Readiness {
  readonly #deps: ReadinessDeps;
  readonly #options: ReadinessOptions;
  readonly #closed = new AbortController();
  #run: Promise<boolean> | undefined;
  /** The watch over a starting program; a check that comes meanwhile waits for its result instead of asking as well. */
  #starting: Promise<boolean> | undefined;

  constructor(deps: ReadinessDeps, options: ReadinessOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Never rejects. */
  check(): Promise<boolean> {
    if (this.#options.probes.length === 0) return Promise.resolve(true);
    this.#run ??= this.#start().finally(() => {
      this.#run = undefined;
    });
    return this.#run;
  }

  /** Asks from now on until the program is ready, or `signal` aborts: `false`. The way a starting pod is watched. */
  awaitReady(signal: AbortSignal): Promise<boolean> {
    const ends = AbortSignal.any([signal, this.#closed.signal]);
    const all = this.#options.probes.map((probe) => {
      const seconds = probe?.timeoutSeconds ?? 0;
      return this.#until(probe, ends, seconds > 0 ? { timeoutMs: seconds * 1_000 } : {});
    });
    const starting = Promise.all(all)
      .then((results) => results.every(Boolean))
      .finally(() => {
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
    if (this.#starting !== undefined) {
      const timeUp = Promise.withResolvers<false>();
      using _timer = this.#deps.clock.after(AGGRESSIVE_RUN_MS, () => timeUp.resolve(false));
      return await Promise.race([this.#starting, timeUp.promise]);
    }
    const results = await Promise.all(this.#options.probes.map((probe) => this.#ask(probe)));
    return results.every(Boolean);
  }

  async #ask(probe: Probe | undefined): Promise<boolean> {
    const { clock, log } = this.#deps;
    if ((probe?.periodSeconds ?? 0) > 0) {
      const { timeoutMs = STANDARD_TIMEOUT_MS } = attemptLimit(probe);
      const result = await this.#attempt(probe, timeoutMs);
      if (result.kind === "not-ready") log.warn(result.because);
      return result.kind === "ready";
    }
    const limit = new AbortController();
    using _timer = clock.after(AGGRESSIVE_RUN_MS, () => limit.abort());
    let failures = 0;
    let last = "";
    const isReady = await this.#until(probe, AbortSignal.any([limit.signal, this.#closed.signal]), {
      patientAfter: PATIENT_AFTER,
      failed: (because) => {
        failures++;
        if (!limit.signal.aborted) last = because; // of one cut by the end of the run nothing is to be learnt
      },
    });
    if (!isReady && !this.#closed.signal.aborted) {
      log.warn(`aggressive probe error (failed ${failures} times): ${last}`); // the words of the reference: Q-104
    }
    return isReady;
  }

  #attempt(probe: Probe | undefined, timeoutMs: number): Promise<AttemptResult> {
    return this.#asked({ clock: this.#deps.clock, timeoutMs, signal: this.#closed.signal }, probe);
  }

  async #until(
    probe: Probe | undefined,
    signal: AbortSignal,
    options: Pick<AwaitReadyOptions, "timeoutMs" | "failed" | "patientAfter">,
  ): Promise<boolean> {
    const impossible = unaskable(probe);
    if (impossible !== undefined) {
      this.#deps.log.error(impossible); // never ready, and no time will help: Q-102
      return false;
    }
    return await awaitReady(this.#targetOf(probe), {
      clock: this.#deps.clock,
      signal,
      successThreshold: probe?.successThreshold ?? 1,
      attempt: (_, asked) => this.#asked(asked, probe),
      ...options,
    });
  }

  /** Never rejects: what a probe names may be no address, no path or no header at all. */
  async #asked(options: Parameters<typeof attempt>[1], probe: Probe | undefined): Promise<AttemptResult> {
    const impossible = unaskable(probe);
    if (impossible !== undefined) return { kind: "not-ready", because: impossible };
    try {
      const ask = this.#options.detectsHttp2 === true ? attemptDetected : attempt;
      return await ask(this.#targetOf(probe), options);
    } catch (error) {
      return { kind: "not-ready", because: error instanceof Error ? error.message : String(error) };
    }
  }

  #targetOf(probe: Probe | undefined) {
    return probeTarget(probe, { ip: "127.0.0.1", port: this.#options.userPort });
  }
}

/** A home's own default is an open port; a probe of a controller that says nothing can never succeed. Q-102 */
function unaskable(probe: Probe | undefined): string | undefined {
  if (probe === undefined) return undefined;
  const { httpGet, tcpSocket, grpc, exec } = probe;
  if (httpGet !== undefined || tcpSocket !== undefined || grpc !== undefined) return undefined;
  return exec === undefined ? "no probe found" : "exec probe not supported";
}

/** 0 is no limit, but for gRPC, where it is none at all: Q-96. */
function attemptLimit(probe: Probe | undefined): { readonly timeoutMs?: number } {
  const seconds = probe?.timeoutSeconds;
  if (seconds === undefined) return {};
  if (seconds > 0) return { timeoutMs: seconds * 1_000 };
  return { timeoutMs: probe?.grpc === undefined ? Number.POSITIVE_INFINITY : 0 };
}
