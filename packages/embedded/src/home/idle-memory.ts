import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock, Logger } from "@rouse/shared";

/** The process whose memory it is. */
export interface OwnProcess {
  /** What it has from the system for its objects. */
  heapBytes(): number;
  /** Share of the time since the last call in which it did something, 0 to 1. */
  busyRatio(): number;
  /** Gives back what it can. Everything else stands still meanwhile. */
  collect(): void;
}

/** How often it is looked at, and how long nothing must have happened. */
const PERIOD_MS = 10_000;
/** Ticks of autoscaling alone stay well below. */
const BUSY_RATIO_MAX = 0.02;
/** Less is not worth standing still for. */
const RETURNED_BYTES_MIN = 64 * 1024 * 1024;

/**
 * Gives memory back to the system once the platform has come to rest after much has changed. V8 keeps what a burst of
 * objects made it take, for hours when nothing happens; a thousand services applied leave twice as much as they need.
 * Collecting stops the platform for some tenths of a second, so it is done only when nobody is being served, and
 * then not again until it has grown as much again.
 */
export class IdleMemory implements Disposable {
  readonly #deps: { readonly clock: Clock; readonly log: Logger };
  readonly #process: OwnProcess;
  #timer: Disposable | undefined;
  /** What there was after the last collection. */
  #floorBytes = 0;

  constructor(deps: { readonly clock: Clock; readonly log: Logger }, ownProcess: OwnProcess = thisProcess()) {
    this.#deps = deps;
    this.#process = ownProcess;
    this.#process.busyRatio(); // from here on
    this.#look();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #look(): void {
    this.#timer = this.#deps.clock.after(PERIOD_MS, () => {
      const isIdle = this.#process.busyRatio() <= BUSY_RATIO_MAX;
      const totalBytes = this.#process.heapBytes();
      if (isIdle && totalBytes - this.#floorBytes >= RETURNED_BYTES_MIN) this.#collect(totalBytes);
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
  let collect: ((options: object) => void) | undefined;
  let before = performance.eventLoopUtilization();
  return {
    heapBytes: () => process.memoryUsage().heapTotal,
    busyRatio: () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    },
    collect: () => {
      setFlagsFromString("--expose-gc"); // there is no other way to ask for it in a process that has been started
      collect ??= runInNewContext("gc");
      collect?.({ type: "major", flavor: "last-resort" }); // any other kind keeps the pages
    },
  };
}
