import type { Clock, Pod } from "@rouse/shared";
import { QUEUE_PROXY_CONTAINER } from "@rouse/shared";
import { pause } from "./pause.ts";
import { userContainer } from "./program.ts";
import type { Sidecar } from "./sidecar.ts";

/** Kubernetes' defaults for a probe that leaves them out. Q-90. */
const PERIOD_SECONDS_DEFAULT = 10;
const FAILURES_DEFAULT = 3;
const SUCCESSES_DEFAULT = 1;

export interface ReadinessPeriod {
  readonly periodMs: number;
  /** Failed rounds in a row that make a ready pod unready. */
  readonly failures: number;
  /** Good rounds in a row that make it ready again. */
  readonly successes: number;
}

/** How often a pod that has been ready is asked again, from its queue-proxy's probe or else its user container's. */
export function readinessPeriod(pod: Pick<Pod, "spec">): ReadinessPeriod {
  const sidecar = pod.spec.containers.find((container) => container.name === QUEUE_PROXY_CONTAINER);
  const probe = sidecar?.readinessProbe ?? userContainer(pod)?.readinessProbe;
  return {
    periodMs: (probe?.periodSeconds || PERIOD_SECONDS_DEFAULT) * 1_000,
    failures: probe?.failureThreshold || FAILURES_DEFAULT,
    successes: probe?.successThreshold || SUCCESSES_DEFAULT,
  };
}

/**
 * Follows the readiness of one process through its sidecar until `signal` aborts: first as fast as it can, then once
 * per period. `changed` is called for changes alone, beginning with the first `true`.
 */
export async function watchReadiness(
  deps: { readonly clock: Clock },
  sidecar: Pick<Sidecar, "awaitReady" | "checkReady">,
  period: ReadinessPeriod,
  signal: AbortSignal,
  changed: (isReady: boolean) => void,
): Promise<void> {
  while (!(await sidecar.awaitReady(signal))) {
    if (signal.aborted) return;
    await pause(deps.clock, period.periodMs, signal); // a sidecar that gives up by itself is asked again
  }
  let isReady = true;
  if (!signal.aborted) changed(true);
  for (let streak = 0; !signal.aborted; ) {
    await pause(deps.clock, period.periodMs, signal);
    if (signal.aborted) return;
    const isGood = await sidecar.checkReady();
    streak = isGood === isReady ? 0 : streak + 1;
    if (signal.aborted || streak < (isReady ? period.failures : period.successes)) continue;
    if (streak === 0) continue;
    isReady = isGood;
    streak = 0;
    changed(isReady);
  }
}
