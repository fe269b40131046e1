import type { Clock } from "../clock/clock.ts";
import { isKubeError } from "./client.ts";
import type { ObjectKey } from "./object.ts";

/** Wait before trying a failed key again: 5 ms doubling to 1000 s (C-10). */
const RETRY_MS_FIRST = 5;
const RETRY_MS_MAX = 1_000_000;
/** Passes at one time, as the reference's two workers (C-11). One key is never in two passes. */
const WORKERS_DEFAULT = 2;

/** What a pass asks for: nothing more, or another pass after a while. */
export type Pass = { readonly kind: "done" } | { readonly kind: "again"; readonly afterMs: number };
export const done: Pass = { kind: "done" };

/**
 * Brings one object closer to what its spec says. Reads caches, writes through the API, is run again after any
 * change and after a failure, and may be run at any time: a second run with the same inputs writes nothing (I-9).
 */
export interface Reconciler {
  /** For logs: `revision`, `serverless-service`, … */
  readonly name: string;
  reconcile(key: ObjectKey): Promise<Pass>;
}

export interface ReconcileLoopDeps {
  readonly clock: Clock;
  /** Told of every pass that threw, before it is retried. Conflicts are expected and not reported. */
  readonly onError: (reconciler: string, key: ObjectKey, error: unknown) => void;
}

export interface ReconcileLoopOptions {
  /** Passes at one time; more where a pass may wait for something slow that must not hold up other keys. */
  readonly workers?: number;
}

/**
 * Runs a reconciler over the keys it is given: each key one pass at a time, keys in the order they came, a key that
 * changes during its pass once more afterwards. Two lanes: `addSlow` is for resyncs and never delays `add`. Passes of
 * many keys let requests from outside have their turn in between.
 */
export class ReconcileLoop implements Disposable {
  readonly #deps: ReconcileLoopDeps;
  readonly #reconciler: Reconciler;
  readonly #workers: number;
  readonly #fast = new Set<ObjectKey>();
  readonly #slow = new Set<ObjectKey>();
  readonly #running = new Set<ObjectKey>();
  readonly #again = new Set<ObjectKey>();
  readonly #failures = new Map<ObjectKey, number>();
  readonly #timers = new Map<ObjectKey, { readonly dueAtMs: number; readonly timer: Disposable }>();
  #isClosed = false;
  #isScheduled = false;

  constructor(deps: ReconcileLoopDeps, reconciler: Reconciler, options: ReconcileLoopOptions = {}) {
    this.#deps = deps;
    this.#reconciler = reconciler;
    this.#workers = options.workers ?? WORKERS_DEFAULT;
  }

  add(key: ObjectKey): void {
    if (this.#isClosed) return;
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#slow.delete(key);
    this.#fast.add(key);
    this.#schedule();
  }

  addSlow(key: ObjectKey): void {
    if (this.#isClosed || this.#fast.has(key)) return;
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#slow.add(key);
    this.#schedule();
  }

  /** A pass `delayMs` from now; an earlier one already planned stays, a later one is replaced. */
  addAfter(key: ObjectKey, delayMs: number): void {
    if (this.#isClosed) return;
    const dueAtMs = this.#deps.clock.now() + delayMs;
    const planned = this.#timers.get(key);
    if (planned !== undefined && planned.dueAtMs <= dueAtMs) return;
    planned?.timer[Symbol.dispose]();
    const timer = this.#deps.clock.after(delayMs, () => {
      this.#timers.delete(key);
      this.add(key);
    });
    this.#timers.set(key, { dueAtMs, timer });
  }

  /** Keys waiting or running. */
  get pending(): number {
    return this.#fast.size + this.#slow.size + this.#running.size;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const { timer } of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
    this.#fast.clear();
    this.#slow.clear();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#deps.clock.soonInBulk(() => {
      this.#isScheduled = false;
      while (this.#running.size < this.#workers) {
        const key = this.#take();
        if (key === undefined) return;
        void this.#run(key);
      }
    });
  }

  #take(): ObjectKey | undefined {
    for (const lane of [this.#fast, this.#slow]) {
      for (const key of lane) {
        lane.delete(key);
        return key;
      }
    }
    return undefined;
  }

  async #run(key: ObjectKey): Promise<void> {
    this.#running.add(key);
    try {
      const pass = await this.#reconciler.reconcile(key);
      this.#failures.delete(key);
      if (pass.kind === "again") this.addAfter(key, pass.afterMs);
    } catch (error) {
      if (!isKubeError(error, "Conflict")) this.#deps.onError(this.#reconciler.name, key, error);
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      this.addAfter(key, Math.min(RETRY_MS_FIRST * 2 ** failures, RETRY_MS_MAX));
    } finally {
      this.#running.delete(key);
      if (this.#again.delete(key)) this.add(key);
      else this.#schedule();
    }
  }
}
