import type * as v8 from "node:v8";
import type { Clock } from "./clock/clock.ts";
import { assert } from "./invariant.ts";
import type { Logger } from "./log/logger.ts";

/** The process whose memory it is. */
export interface OwnProcess {
  /** What it has from the system for its objects. */
  heapBytes(): number;
  /** Share of the time since the last call in which it did something, 0 to 1. */
  busyRatio(): number;
  /** Gives back what it can. Everything else stands still meanwhile. */
  collect(): void;
}

export interface IdleMemoryOptions {
  /** Busier than this, it is not idle. */
  readonly busyRatioMax: number;
  /** Growth that is worth standing still for. */
  readonly returnedBytesMin: number;
}

/** How often it is looked at, and how long nothing much must have happened. */
const PERIOD_MS = 10_000;

/**
 * Gives memory back to the system once a process has come to rest after a burst. V8 keeps what a burst of objects made it
 * take, for hours when nothing happens. Collecting stops the process for some tens of milliseconds or more, so it is done
 * only when next to nobody is being served, and then not again until it has grown as much again.
 */
export class IdleMemory implements Disposable {
  readonly #deps: { readonly clock: Clock; readonly log: Logger };
  readonly #options: IdleMemoryOptions;
  readonly #process: OwnProcess;
  #timer: Disposable | undefined;
  /** What there was after the last collection. */
  #floorBytes = 0;

  constructor(
    deps: { readonly clock: Clock; readonly log: Logger },
    options: IdleMemoryOptions,
    ownProcess: OwnProcess = thisProcess(),
  ) {
    this.#deps = deps;
    this.#options = options;
    this.#process = ownProcess;
    this.#process.busyRatio(); // from here on
    this.#look();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #look(): void {
    this.#timer = this.#deps.clock.after(PERIOD_MS, () => {
      const isIdle = this.#process.busyRatio() <= this.#options.busyRatioMax;
      const totalBytes = this.#process.heapBytes();
      if (isIdle && totalBytes - this.#floorBytes >= this.#options.returnedBytesMin)
        this.#collect(totalBytes);
      this.#look();
    });
  }

  #collect(beforeBytes: number): void {
    this.#process.collect();
    const totalBytes = this.#process.heapBytes();
    this.#floorBytes = totalBytes;
    this.#deps.log.debug("memory given back", { beforeBytes, totalBytes });
  }
}

function thisProcess(): OwnProcess {
  let before = performance.eventLoopUtilization();
  return {
    // Not memoryUsage(): that opens a file, which fails when a burst has taken all descriptors.
    heapBytes: () => v8Library().getHeapStatistics().total_heap_size,
    busyRatio: () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    },
    collect: () => collector()({ type: "major", execution: "sync", flavor: "last-resort" }), // others keep the pages
  };
}

/**
 * V8's own. A process that was started without it gets it with a context made for that, and not kept, as it holds half a
 * megabyte.
 */
function collector(): (options: object) => unknown {
  if (globalThis.gc !== undefined) return globalThis.gc;
  const vm = process.getBuiltinModule("node:vm");
  assert(vm !== undefined, "node:vm is part of Node");
  v8Library().setFlagsFromString("--expose-gc");
  return vm.runInNewContext("gc");
}

/** Loaded when first asked, after the start. */
function v8Library(): typeof v8 {
  const library = process.getBuiltinModule("node:v8");
  assert(library !== undefined, "node:v8 is part of Node");
  return library;
}
