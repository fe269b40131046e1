import { assert } from "../invariant.ts";
import type { Clock, MonoMs, WallMs } from "./clock.ts";

interface VirtualTimer {
  readonly dueAtMs: number;
  readonly order: number;
  readonly fire: () => void;
  state: "armed" | "fired" | "disposed";
}

/** Where a virtual clock starts, so that timestamps in tests are readable: 2026-01-01T00:00:00Z. */
const EPOCH_MS = 1_767_225_600_000;
/** Timers that arm each other without letting time pass would run for ever. */
const FIRES_PER_ADVANCE_MAX = 10_000_000;

/** More turns than any chain of reactions takes. */
const SETTLE_TURNS_MAX = 10_000;

/** Time that moves when a test says so. Timers fire by due time, then by creation, so every run is the same. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  /** Binary heap by (`dueAtMs`, `order`). */
  readonly #heap: VirtualTimer[] = [];
  #armed = 0;
  readonly #soon: (() => void)[] = [];

  now(): MonoMs {
    return this.#nowMs as MonoMs;
  }

  wall(): WallMs {
    return (EPOCH_MS + this.#nowMs) as WallMs;
  }

  /** Timers that have been armed and neither fired nor disposed. */
  get pendingTimers(): number {
    return this.#armed;
  }

  after(delayMs: number, fire: () => void): Disposable {
    const dueAtMs = this.#nowMs + Math.max(0, delayMs);
    const timer: VirtualTimer = { dueAtMs, order: this.#order++, fire, state: "armed" };
    this.#push(timer);
    this.#armed++;
    return {
      [Symbol.dispose]: () => {
        if (timer.state !== "armed") return;
        timer.state = "disposed"; // it leaves the heap when its time comes
        this.#armed--;
      },
    };
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** Nothing takes time here. */
  soonInBulk(run: () => void): void {
    this.soon(run);
  }

  /** Moves time forward by `ms`, firing what falls due, each at its own time. */
  advance(ms: number): void {
    assert(ms >= 0, "time went backwards");
    const untilMs = this.#nowMs + ms;
    this.#runSoon();
    for (let fires = 0; fires < FIRES_PER_ADVANCE_MAX; fires++) {
      const next = this.#heap[0];
      if (next === undefined || next.dueAtMs > untilMs) {
        this.#nowMs = untilMs;
        return;
      }
      this.#pop();
      if (next.state === "disposed") continue;
      next.state = "fired";
      this.#armed--;
      this.#nowMs = next.dueAtMs;
      next.fire();
      this.#runSoon();
    }
    assert(false, "timers arm each other without letting time pass");
  }

  /** As `advance`, and lets promises settle before and after each timer. For code that awaits between timers. */
  async advanceAsync(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.settle();
    for (let fires = 0; fires < FIRES_PER_ADVANCE_MAX; fires++) {
      const next = this.#heap[0];
      if (next === undefined || next.dueAtMs > untilMs) break;
      this.advance(Math.max(0, next.dueAtMs - this.#nowMs));
      await this.settle();
    }
    this.advance(Math.max(0, untilMs - this.#nowMs));
    await this.settle();
  }

  /** Runs what `soon` was given and lets pending promises go as far as they can without time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS_MAX; turn++) {
      this.#runSoon();
      // All promises that can settle have done so when the event loop turns; they may have left more to run soon.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#soon.length === 0) return;
    }
    assert(false, "code calls itself soon for ever");
  }

  #runSoon(): void {
    for (let run = this.#soon.shift(); run !== undefined; run = this.#soon.shift()) run();
  }

  #push(timer: VirtualTimer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isEarlier(timer, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      if (left === undefined) break;
      const right = heap[2 * at + 2];
      const isRight = right !== undefined && isEarlier(right, left);
      const child = isRight ? right : left;
      if (!isEarlier(child, last)) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
  }
}

function isEarlier(a: VirtualTimer, b: VirtualTimer): boolean {
  return a.dueAtMs < b.dueAtMs || (a.dueAtMs === b.dueAtMs && a.order < b.order);
}
