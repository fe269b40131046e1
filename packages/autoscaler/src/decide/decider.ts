import type { MonoMs } from "@rouse/shared";
import { excessBurstCapacity, initialExcessBurstCapacity } from "./burst-capacity.ts";
import type { DeciderSpec } from "./decider-spec.ts";
import { DelayWindow, type HeldScale } from "./delay-window.ts";

/** A decider made while this many pods are ready starts in panic, so that a restart never shrinks a revision. S-76. */
const READY_PODS_PANIC_AT_START = 2;
const INT32_MAX = 2 ** 31 - 1;

/** What is known of a revision at one instant: its ready pods and the load averages of both windows. */
export interface Observation {
  readonly readyPods: number;
  readonly stable: number;
  readonly panic: number;
}

/** In panic the scale never falls; `since` is when the load last was over the threshold. S-84, S-85. */
export type PanicMode =
  | { readonly kind: "calm" }
  | { readonly kind: "panicking"; readonly since: MonoMs; readonly podsMax: number };

/** What had the last word on the pods wanted. */
export type Cut =
  | "none"
  | "scale-up-rate"
  | "scale-down-rate"
  | "activation-scale"
  | "panic-hold"
  | "scale-down-delay";

/** One evaluation, with every value of the formula. S-79..S-88. */
export interface Evaluation extends Observation {
  /** Pods each window asks for, before any bound: `ceil(load / target)`, or one while none is ready and one will do. */
  readonly podsByStable: number;
  readonly podsByPanic: number;
  /** Bounds of one step. */
  readonly podsAtMost: number;
  readonly podsAtLeast: number;
  readonly isOverPanicThreshold: boolean;
  readonly mode: PanicMode["kind"];
  readonly cut: Cut;
  readonly desiredPods: number;
  readonly excessBurstCapacity: number;
}

/** What a decider has learnt, for the time after a restart. */
export interface DeciderMemory {
  readonly desiredPods: number;
  readonly excessBurstCapacity: number;
  /** Absent when calm. */
  readonly panic?: { readonly agoMs: number; readonly podsMax: number };
  /** What holds a scale-down back. */
  readonly held: readonly HeldScale[];
}

/**
 * Turns load into pods wanted, for one revision. Time and observations come as arguments. Bounds like min-scale are
 * not its business: they are applied with the scale. S-75..S-88.
 */
export class Decider {
  #spec: DeciderSpec;
  #mode: PanicMode;
  #delay: DelayWindow | undefined;
  #desiredPods: number | undefined;
  #excessBurstCapacity: number;

  constructor(spec: DeciderSpec, readyPods: number, now: MonoMs) {
    this.#spec = spec;
    this.#mode =
      readyPods >= READY_PODS_PANIC_AT_START
        ? { kind: "panicking", since: now, podsMax: readyPods }
        : { kind: "calm" };
    this.#delay = delayWindow(spec);
    this.#excessBurstCapacity = initialExcessBurstCapacity(spec);
  }

  get spec(): DeciderSpec {
    return this.#spec;
  }

  get mode(): PanicMode {
    return this.#mode;
  }

  /** `undefined` until the first evaluation. */
  get desiredPods(): number | undefined {
    return this.#desiredPods;
  }

  get excessBurstCapacity(): number {
    return this.#excessBurstCapacity;
  }

  /** `undefined` before the first evaluation. */
  memory(now: MonoMs): DeciderMemory | undefined {
    if (this.#desiredPods === undefined) return undefined;
    const mode = this.#mode;
    return {
      desiredPods: this.#desiredPods,
      excessBurstCapacity: this.#excessBurstCapacity,
      ...(mode.kind === "panicking" ? { panic: { agoMs: now - mode.since, podsMax: mode.podsMax } } : {}),
      held: this.#delay?.memory(now) ?? [],
    };
  }

  /** Takes up where another left off, instead of the caution of S-76. To be called while it is new. */
  resume({ desiredPods, excessBurstCapacity, panic, held }: DeciderMemory, now: MonoMs): void {
    this.#desiredPods = desiredPods;
    this.#excessBurstCapacity = excessBurstCapacity;
    this.#mode =
      panic === undefined
        ? { kind: "calm" }
        : { kind: "panicking", since: (now - panic.agoMs) as MonoMs, podsMax: panic.podsMax };
    this.#delay?.resume(held, now);
  }

  /** Takes a new spec and keeps everything learnt. S-90. */
  respec(spec: DeciderSpec): void {
    if (spec.scaleDownDelayMs !== this.#spec.scaleDownDelayMs) {
      if (this.#delay === undefined || spec.scaleDownDelayMs === 0) this.#delay = delayWindow(spec);
      else this.#delay.resize(spec.scaleDownDelayMs);
    }
    this.#spec = spec;
  }

  decide(seen: Observation, now: MonoMs): Evaluation {
    const spec = this.#spec;
    const base = Math.max(1, seen.readyPods);
    const podsAtMost = Math.ceil(spec.maxScaleUpRate * base);
    const podsAtLeast = spec.isReachable ? Math.floor(base / spec.maxScaleDownRate) : 0;
    const podsByStable = podsFor(seen.stable, seen.readyPods, spec);
    const podsByPanic = podsFor(seen.panic, seen.readyPods, spec);
    const isOverPanicThreshold = podsByPanic / base >= spec.panicThreshold;
    this.#mode = nextMode(this.#mode, isOverPanicThreshold, spec.stableWindowMs, now);

    const bounds = { podsAtMost, podsAtLeast, activationScale: spec.activationScale };
    const stable = bounded(podsByStable, bounds);
    const held = this.#held(stable, bounded(podsByPanic, bounds));
    const wanted = this.#delayed(held, now);

    this.#desiredPods = wanted.pods;
    this.#excessBurstCapacity = excessBurstCapacity(spec, seen.readyPods, seen.panic);
    return {
      ...seen,
      podsByStable,
      podsByPanic,
      podsAtMost,
      podsAtLeast,
      isOverPanicThreshold,
      mode: this.#mode.kind,
      cut: wanted.cut,
      desiredPods: wanted.pods,
      excessBurstCapacity: this.#excessBurstCapacity,
    };
  }

  /** In panic: the larger window, and never less than before. S-85. */
  #held(stable: Bounded, panic: Bounded): Bounded {
    if (this.#mode.kind === "calm") return stable;
    const wanted = panic.pods > stable.pods ? panic : stable;
    const podsMax = Math.max(this.#mode.podsMax, wanted.pods);
    this.#mode = { ...this.#mode, podsMax };
    return podsMax > wanted.pods ? { pods: podsMax, cut: "panic-hold" } : wanted;
  }

  /** Holds a scale-down back for a reachable revision. S-86. */
  #delayed(wanted: Bounded, now: MonoMs): Bounded {
    if (this.#delay === undefined || !this.#spec.isReachable) return wanted;
    const pods = this.#delay.record(wanted.pods, now);
    return pods > wanted.pods ? { pods, cut: "scale-down-delay" } : wanted;
  }
}

/**
 * S-81, but for a load one pod can carry while none is ready: that asks for one pod. By its target alone a revision
 * with containerConcurrency 1 answers its first request with two, which on two cores start half as fast as one.
 */
function podsFor(load: number, readyPods: number, { targetValue, totalValue }: DeciderSpec): number {
  const pods = Math.ceil(load / targetValue);
  return readyPods === 0 && load <= totalValue ? Math.min(pods, 1) : pods;
}

interface Bounded {
  readonly pods: number;
  readonly cut: Cut;
}

/** S-81, S-82: the rates bound one step; activation-scale may exceed them. */
function bounded(
  pods: number,
  bounds: { readonly podsAtMost: number; readonly podsAtLeast: number; readonly activationScale: number },
): Bounded {
  if (pods > 0 && bounds.activationScale > 1) {
    const stepped = stepBounded(pods, bounds);
    return stepped.pods < bounds.activationScale
      ? { pods: bounds.activationScale, cut: "activation-scale" }
      : stepped;
  }
  return stepBounded(pods, bounds);
}

function stepBounded(
  pods: number,
  bounds: { readonly podsAtMost: number; readonly podsAtLeast: number },
): Bounded {
  if (pods > bounds.podsAtMost) return { pods: Math.min(bounds.podsAtMost, INT32_MAX), cut: "scale-up-rate" };
  if (pods < bounds.podsAtLeast) return { pods: bounds.podsAtLeast, cut: "scale-down-rate" };
  return { pods: Math.min(pods, INT32_MAX), cut: "none" };
}

/** Being over the threshold enters or extends panic; a whole stable window below it ends it. S-84. */
function nextMode(mode: PanicMode, isOver: boolean, stableWindowMs: number, now: MonoMs): PanicMode {
  switch (mode.kind) {
    case "calm":
      return isOver ? { kind: "panicking", since: now, podsMax: 0 } : mode;
    case "panicking":
      if (isOver) return { ...mode, since: now };
      return now > mode.since + stableWindowMs ? { kind: "calm" } : mode;
  }
}

function delayWindow(spec: DeciderSpec): DelayWindow | undefined {
  return spec.scaleDownDelayMs === 0 ? undefined : new DelayWindow(spec.scaleDownDelayMs);
}
