import type { WallMs } from "@rouse/shared";
import type { Evaluation } from "../decide/decider.ts";

/** Two minutes of ticks. */
const TICKS_MAX = 60;

/** One evaluation, or why there was none. */
export type Tick =
  | { readonly kind: "decided"; readonly at: WallMs; readonly evaluation: Evaluation }
  /** Nothing was collected, so nothing was changed. S-79. */
  | { readonly kind: "no-data"; readonly at: WallMs; readonly readyPods: number };

/** The latest ticks of one decider; the oldest is dropped for a new one. */
export class TickLog {
  readonly #ticks: Tick[] = [];

  add(tick: Tick): void {
    if (this.#ticks.length === TICKS_MAX) this.#ticks.shift();
    this.#ticks.push(tick);
  }

  /** Oldest first. */
  list(): readonly Tick[] {
    return [...this.#ticks];
  }
}
