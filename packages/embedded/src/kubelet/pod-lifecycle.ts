import { type MonoMs, unreachable, type WallMs } from "@rouse/shared";

/** How a process ended. */
export interface Exit {
  /** 128 + n after signal n, as a shell counts. */
  readonly exitCode: number;
  readonly signal?: number;
  /** The end of its output, when it failed. */
  readonly message: string;
  readonly startedAt: WallMs;
  readonly finishedAt: WallMs;
}

/** What outlives one process of a pod. */
export interface History {
  /** Times the process has been started again. */
  readonly restarts: number;
  readonly lastExit: Exit | undefined;
  /** Wait before the next restart. 0: at once. */
  readonly backoffMs: number;
}

/**
 * Where a pod is. `refused`: it can never run here. `starting`: asked to run. `running`: has a process, ready or not.
 * `backing-off`: its process ended or did not start, the next try is planned. `draining`: deleted; requests in flight
 * finish while the process lives on. `stopping`: told to end. `gone`: to be removed from the API.
 */
export type PodState =
  | { readonly kind: "refused"; readonly reason: string; readonly message: string }
  | { readonly kind: "starting"; readonly history: History }
  | { readonly kind: "running"; readonly history: History; readonly run: Run }
  | {
      readonly kind: "backing-off";
      readonly history: History;
      readonly reason: string;
      readonly message: string;
    }
  | { readonly kind: "draining"; readonly history: History; readonly run: Run; readonly deadline: MonoMs }
  | { readonly kind: "stopping"; readonly history: History; readonly run: Run; readonly isKilled: boolean }
  | { readonly kind: "gone" };

export interface Run {
  readonly startedAt: WallMs;
  readonly since: MonoMs;
  readonly isReady: boolean;
}

export type PodEvent =
  | { readonly kind: "refused"; readonly reason: string; readonly message: string }
  | { readonly kind: "started"; readonly at: WallMs }
  | { readonly kind: "start-failed"; readonly reason: string; readonly message: string }
  | { readonly kind: "exited"; readonly exit: Exit }
  | { readonly kind: "readiness"; readonly isReady: boolean }
  /** Its liveness probe has failed: it is to be ended, and started again. */
  | { readonly kind: "unhealthy"; readonly graceMs: number }
  | { readonly kind: "deleted"; readonly graceMs: number }
  | { readonly kind: "drained" }
  /** The time asked for by the state's last `alarm` has passed. */
  | { readonly kind: "alarm" };

/** What the shell has to do, in this order. A new state of another kind cancels the alarm of the one before. */
export type PodEffect =
  | { readonly do: "start" }
  | { readonly do: "drain" }
  | { readonly do: "signal"; readonly signal: "SIGTERM" | "SIGKILL" }
  | { readonly do: "alarm"; readonly afterMs: number }
  | { readonly do: "remove" };

export interface PodStep {
  readonly state: PodState;
  readonly effects: readonly PodEffect[];
}

/** The first restart is immediate, then 10 s doubling to 5 min; 10 min of running forget it all. Kubernetes' kubelet. */
const BACKOFF_MS_FIRST = 10_000;
const BACKOFF_MS_MAX = 300_000;
const BACKOFF_RESET_MS = 600_000;
/** However short the grace, a process told to end gets this long; Kubernetes' `minimumGracePeriodInSeconds`. */
const STOP_MS_MIN = 2_000;
/** A killed process group that still has not been reported is given up after this. */
const KILL_MS_MAX = 5_000;

export const newHistory: History = { restarts: 0, lastExit: undefined, backoffMs: 0 };

/** One step of a pod's life. Events that mean nothing in a state leave it as it is. */
export function podStep(state: PodState, event: PodEvent, now: MonoMs): PodStep {
  switch (state.kind) {
    case "starting":
      return whenStarting(state, event, now);
    case "running":
      return whenRunning(state, event, now);
    case "backing-off":
      if (event.kind === "alarm") return start(again(state.history));
      return event.kind === "deleted" ? gone : stay(state);
    case "draining":
      return whenDraining(state, event, now);
    case "stopping":
      return whenStopping(state, event, now);
    case "refused":
      return event.kind === "deleted" ? gone : stay(state);
    case "gone":
      return stay(state);
    default:
      return unreachable(state);
  }
}

type In<K extends PodState["kind"]> = Extract<PodState, { kind: K }>;

function whenStarting(state: In<"starting">, event: PodEvent, now: MonoMs): PodStep {
  switch (event.kind) {
    case "refused":
      return stay({ kind: "refused", reason: event.reason, message: event.message });
    case "started":
      return stay({
        kind: "running",
        history: state.history,
        run: { startedAt: event.at, since: now, isReady: false },
      });
    case "start-failed":
      return backOff(state.history, event.reason, event.message);
    case "deleted":
      return gone;
    default:
      return stay(state);
  }
}

function whenRunning(state: In<"running">, event: PodEvent, now: MonoMs): PodStep {
  switch (event.kind) {
    case "readiness":
      return stay({ ...state, run: { ...state.run, isReady: event.isReady } });
    case "unhealthy":
      return {
        state: { ...state, run: { ...state.run, isReady: false } },
        effects: [
          { do: "signal", signal: "SIGTERM" },
          { do: "alarm", afterMs: event.graceMs },
        ],
      };
    case "alarm": // only ever asked for above
      return { state, effects: [{ do: "signal", signal: "SIGKILL" }] };
    case "exited":
      return afterExit(state, event.exit, now);
    case "start-failed":
      return backOff(state.history, event.reason, event.message);
    case "deleted": {
      const { history, run } = state;
      const draining: PodState = {
        kind: "draining",
        history,
        run,
        deadline: (now + event.graceMs) as MonoMs,
      };
      return { state: draining, effects: [{ do: "alarm", afterMs: event.graceMs }, { do: "drain" }] };
    }
    default:
      return stay(state);
  }
}

function whenDraining(state: In<"draining">, event: PodEvent, now: MonoMs): PodStep {
  switch (event.kind) {
    case "readiness":
      return stay({ ...state, run: { ...state.run, isReady: event.isReady } });
    case "exited":
    case "start-failed":
      return gone;
    case "deleted": {
      // Deleted again: the grace can only get shorter.
      const deadline = Math.min(state.deadline, now + event.graceMs) as MonoMs;
      return {
        state: { ...state, deadline },
        effects: [{ do: "alarm", afterMs: Math.max(0, deadline - now) }],
      };
    }
    case "drained":
    case "alarm": {
      const { history, run, deadline } = state;
      const afterMs = Math.max(STOP_MS_MIN, deadline - now);
      return {
        state: { kind: "stopping", history, run, isKilled: false },
        effects: [
          { do: "signal", signal: "SIGTERM" },
          { do: "alarm", afterMs },
        ],
      };
    }
    default:
      return stay(state);
  }
}

function whenStopping(state: In<"stopping">, event: PodEvent, _now: MonoMs): PodStep {
  switch (event.kind) {
    case "exited":
    case "start-failed":
      return gone;
    case "deleted":
      return event.graceMs < STOP_MS_MIN && !state.isKilled
        ? { state, effects: [{ do: "alarm", afterMs: event.graceMs }] }
        : stay(state);
    case "alarm":
      return state.isKilled
        ? gone
        : {
            state: { ...state, isKilled: true },
            effects: [
              { do: "signal", signal: "SIGKILL" },
              { do: "alarm", afterMs: KILL_MS_MAX },
            ],
          };
    default:
      return stay(state);
  }
}

function afterExit(state: In<"running">, exit: Exit, now: MonoMs): PodStep {
  const hasRunLong = now - state.run.since >= BACKOFF_RESET_MS;
  const history = { ...state.history, lastExit: exit, backoffMs: hasRunLong ? 0 : state.history.backoffMs };
  if (history.backoffMs === 0) return start(again(history));
  const ended = exit.message === "" ? `exit code ${exit.exitCode}` : exit.message;
  return backOff(history, "CrashLoopBackOff", `restart in ${history.backoffMs / 1_000} s: ${ended}`);
}

function backOff(history: History, reason: string, message: string): PodStep {
  const backoffMs = history.backoffMs === 0 ? BACKOFF_MS_FIRST : history.backoffMs;
  return {
    state: { kind: "backing-off", history: { ...history, backoffMs }, reason, message },
    effects: [{ do: "alarm", afterMs: backoffMs }],
  };
}

/** The history with which the next process starts. */
function again(history: History): History {
  const doubled = Math.min(history.backoffMs * 2, BACKOFF_MS_MAX);
  const restarts = history.lastExit === undefined ? 0 : history.restarts + 1;
  return { ...history, restarts, backoffMs: history.backoffMs === 0 ? BACKOFF_MS_FIRST : doubled };
}

function start(history: History): PodStep {
  return { state: { kind: "starting", history }, effects: [{ do: "start" }] };
}

function stay(state: PodState): PodStep {
  return { state, effects: [] };
}

const gone: PodStep = { state: { kind: "gone" }, effects: [{ do: "remove" }] };
