import type { Clock, RevisionKey, Stat } from "@rouse/shared";
import type { MetricCollector } from "../collect/metric-collector.ts";
import { type Tick, TickLog } from "../explain/tick-log.ts";
import type { PodLedger } from "../pods/pod-ledger.ts";
import { isSameBurstSign } from "./burst-capacity.ts";
import { Decider, type DeciderMemory, type Evaluation } from "./decider.ts";
import type { DeciderSpec } from "./decider-spec.ts";

export interface MultiScalerDeps {
  readonly clock: Clock;
  readonly collector: Pick<MetricCollector, "averages" | "isEmpty" | "release">;
  readonly pods: Pick<PodLedger, "counts">;
  /** Told when the pods wanted change, or the activator's place in the path does. S-89. */
  readonly onDecision: (revision: RevisionKey) => void;
  /** Told when a revision has something to watch. */
  readonly onAwake: (revision: RevisionKey) => void;
}

/** What a decider has come to, for the pass that applies it. */
export interface Decision {
  /** `undefined` until the first evaluation. */
  readonly desiredPods: number | undefined;
  readonly excessBurstCapacity: number;
}

interface Entry {
  readonly decider: Decider;
  readonly log: TickLog;
  /** The last valid one. */
  evaluation: Evaluation | undefined;
}

/** One decider per revision: evaluated on every second beat, and as soon as possible when poked. S-39, S-40, S-90. */
export class MultiScaler {
  readonly #deps: MultiScalerDeps;
  readonly #entries = new Map<RevisionKey, Entry>();
  readonly #poked = new Set<RevisionKey>();
  readonly #remembered = new Map<RevisionKey, { readonly memory: DeciderMemory; readonly awayMs: number }>();

  constructor(deps: MultiScalerDeps) {
    this.#deps = deps;
  }

  /** Makes the decider, or gives it a new spec; what it has learnt stays. S-90. */
  ensure(revision: RevisionKey, spec: DeciderSpec): Decision {
    const entry = this.#entries.get(revision);
    if (entry === undefined) {
      const { ready } = this.#deps.pods.counts(revision);
      const now = this.#deps.clock.now();
      const decider = new Decider(spec, ready, now);
      const remembered = this.#remembered.get(revision);
      this.#remembered.delete(revision);
      if (remembered !== undefined && remembered.awayMs <= spec.stableWindowMs) {
        decider.resume(remembered.memory, now);
      }
      this.#entries.set(revision, { decider, log: new TickLog(), evaluation: undefined });
      this.#deps.onAwake(revision);
      return decisionOf(decider);
    }
    if (!isSameSpec(entry.decider.spec, spec)) {
      entry.decider.respec(spec);
      this.#deps.onAwake(revision);
    }
    return decisionOf(entry.decider);
  }

  /** What an earlier life had decided for a revision; used when its decider is made. */
  remember(revision: RevisionKey, memory: DeciderMemory, awayMs: number): void {
    this.#remembered.set(revision, { memory, awayMs });
  }

  /** What every decider has learnt, of those that have decided anything. */
  *memories(): Generator<readonly [RevisionKey, DeciderMemory]> {
    const now = this.#deps.clock.now();
    for (const [revision, { decider }] of this.#entries) {
      const memory = decider.memory(now);
      if (memory !== undefined) yield [revision, memory];
    }
  }

  remove(revision: RevisionKey): void {
    this.#remembered.delete(revision);
    this.#entries.delete(revision);
    this.#poked.delete(revision);
  }

  decision(revision: RevisionKey): Decision | undefined {
    const entry = this.#entries.get(revision);
    return entry === undefined ? undefined : decisionOf(entry.decider);
  }

  /** Every decider, with the last evaluation that was valid. */
  *evaluations(): Generator<readonly [RevisionKey, DeciderSpec, Evaluation | undefined]> {
    for (const [revision, { decider, evaluation }] of this.#entries)
      yield [revision, decider.spec, evaluation];
  }

  explain(revision: RevisionKey): { readonly decider: Decider; readonly ticks: readonly Tick[] } | undefined {
    const entry = this.#entries.get(revision);
    return entry === undefined ? undefined : { decider: entry.decider, ticks: entry.log.list() };
  }

  /**
   * A stat has been recorded: evaluates at once what may have been woken by it. The reference does so only for stats of
   * activators; here also for what pods tell, so that the last one does not go by a decision older than its load. And only at a
   * desired scale of 0; here also while no pod is ready, since then every request waits for this: a fresh decider
   * after a restart, and a burst that grows while the first pod starts. With pods it does so for a report that alone is
   * more than twice what they are wanted for: an activator tells of a burst before its period is over. S-40.
   */
  poke(revision: RevisionKey, stat: Stat): void {
    const entry = this.#entries.get(revision);
    if (entry === undefined || stat.averageConcurrentRequests === 0) return;
    const isReady = this.#deps.pods.counts(revision).ready > 0;
    if (entry.decider.desiredPods !== 0 && isReady && !isBurst(entry.decider, stat)) return;
    if (this.#poked.size === 0) this.#deps.clock.soon(() => this.#evaluatePoked());
    this.#poked.add(revision);
  }

  /** One tick of one revision. `settled`: no later tick can come to anything else before a record or a pod does. */
  evaluate(revision: RevisionKey): "settled" | "unsettled" {
    const entry = this.#entries.get(revision);
    if (entry === undefined) return "settled";
    const { clock, collector, pods } = this.#deps;
    const { decider, log } = entry;
    const readyPods = pods.counts(revision).ready;
    // Without ready pods nobody has to be asked to know that there is no load on them (S-47): a minimum is kept all the same.
    const averages =
      collector.averages(revision, decider.spec.metric) ?? (readyPods === 0 ? NO_LOAD : undefined);
    if (averages === undefined) {
      log.add({ kind: "no-data", at: clock.wall(), readyPods });
      return "unsettled";
    }
    const before = decisionOf(decider);
    const evaluation = decider.decide({ readyPods, ...averages }, clock.now());
    entry.evaluation = evaluation;
    log.add({ kind: "decided", at: clock.wall(), evaluation });
    if (
      before.desiredPods !== evaluation.desiredPods ||
      !isSameBurstSign(before.excessBurstCapacity, evaluation.excessBurstCapacity)
    ) {
      this.#deps.onDecision(revision);
    }
    const isSettled = evaluation.desiredPods === 0 && readyPods === 0 && collector.isEmpty(revision);
    return isSettled ? this.#settled(revision) : "unsettled";
  }

  #settled(revision: RevisionKey): "settled" {
    this.#deps.collector.release(revision);
    return "settled";
  }

  #evaluatePoked(): void {
    const poked = [...this.#poked];
    this.#poked.clear();
    for (const revision of poked) this.evaluate(revision);
  }
}

const BURST_FACTOR = 2;

function isBurst({ spec, desiredPods = 1 }: Decider, { averageConcurrentRequests }: Stat): boolean {
  if (spec.metric !== "concurrency") return false;
  return averageConcurrentRequests > BURST_FACTOR * spec.targetValue * Math.max(1, desiredPods);
}

const NO_LOAD = { stable: 0, panic: 0 } as const;

function decisionOf({ desiredPods, excessBurstCapacity }: Decider): Decision {
  return { desiredPods, excessBurstCapacity };
}

function isSameSpec(a: DeciderSpec, b: DeciderSpec): boolean {
  return (
    a.metric === b.metric &&
    a.targetValue === b.targetValue &&
    a.totalValue === b.totalValue &&
    a.targetBurstCapacity === b.targetBurstCapacity &&
    a.maxScaleUpRate === b.maxScaleUpRate &&
    a.maxScaleDownRate === b.maxScaleDownRate &&
    a.panicThreshold === b.panicThreshold &&
    a.stableWindowMs === b.stableWindowMs &&
    a.scaleDownDelayMs === b.scaleDownDelayMs &&
    a.initialScale === b.initialScale &&
    a.isReachable === b.isReachable &&
    a.activationScale === b.activationScale
  );
}
