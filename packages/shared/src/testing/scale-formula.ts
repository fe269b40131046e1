/** What is known of a revision at one tick. */
export interface FormulaTick {
  readonly atMs: number;
  readonly readyPods: number;
  /** Average requests at one time over the stable and the panic window. */
  readonly stable: number;
  readonly panic: number;
}

export interface FormulaSettings {
  /** Requests at one time that each pod is to have. */
  readonly target: number;
  readonly stableWindowMs: number;
}

/** `config-autoscaler` as it comes. */
const RATE_UP_MAX = 1_000;
const RATE_DOWN_MAX = 2;
const PANIC_THRESHOLD = 2;

/** The specification's formula (S-79..S-85), written from it alone, to hold the autoscaler against. */
export class ScaleFormula {
  readonly #settings: FormulaSettings;
  #panicSince: number | undefined;
  #podsMax = 0;

  constructor(settings: FormulaSettings) {
    this.#settings = settings;
  }

  pods({ atMs, readyPods, stable, panic }: FormulaTick): number {
    const { target, stableWindowMs } = this.#settings;
    const base = Math.max(1, readyPods);
    const up = Math.ceil(RATE_UP_MAX * base);
    const down = Math.floor(base / RATE_DOWN_MAX);
    const clamped = (wanted: number): number => Math.min(Math.max(wanted, down), up);
    const [byStable, byPanic] = [Math.ceil(stable / target), Math.ceil(panic / target)];
    if (byPanic / base >= PANIC_THRESHOLD) this.#panicSince = atMs;
    else if (this.#panicSince !== undefined && atMs > this.#panicSince + stableWindowMs) {
      this.#panicSince = undefined;
      this.#podsMax = 0;
    }
    if (this.#panicSince === undefined) return clamped(byStable);
    this.#podsMax = Math.max(this.#podsMax, clamped(byStable), clamped(byPanic));
    return this.#podsMax;
  }
}
