import {
  type AttemptOptions,
  type AttemptResult,
  type Clock,
  type Container,
  type Probe,
  type ProbeTarget,
  probeTarget,
} from "@rouse/shared";
import { pause } from "./pause.ts";

/** Kubernetes' defaults for a probe that leaves them out. */
const PERIOD_SECONDS_DEFAULT = 10;
const TIMEOUT_SECONDS_DEFAULT = 1;
const FAILURES_DEFAULT = 3;

export interface LivenessDeps {
  readonly clock: Clock;
  /** Asks a target once. */
  readonly ask: (target: ProbeTarget, options: AttemptOptions) => Promise<AttemptResult>;
  /** Runs an `exec` probe's command once; without it such a probe is not asked. */
  readonly exec?: (command: readonly string[], options: AttemptOptions) => Promise<AttemptResult>;
}

type AskOnce = (options: AttemptOptions) => Promise<AttemptResult>;

/**
 * Follows one process with its container's startup and liveness probes: the second begins when the first has succeeded
 * once. Resolves with the reason when either has failed too often, so that the process has to be started again, and
 * with `undefined` when there is nothing to follow or `signal` aborts.
 */
export async function watchLiveness(
  deps: LivenessDeps,
  container: Pick<Container, "startupProbe" | "livenessProbe" | "ports">,
  userPort: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { startupProbe, livenessProbe } = container;
  const aim = { toldPort: container.ports?.[0]?.containerPort, userPort };
  const askStartup = asker(deps, startupProbe, aim);
  if (startupProbe !== undefined && askStartup !== undefined) {
    const failure = await follow(deps.clock, startupProbe, askStartup, signal, { until: "first-success" });
    if (failure !== undefined) return `startup probe failed: ${failure}`;
  }
  const askLiveness = asker(deps, livenessProbe, aim);
  if (livenessProbe === undefined || askLiveness === undefined || signal.aborted) return undefined;
  const failure = await follow(deps.clock, livenessProbe, askLiveness, signal, { until: "failure" });
  return failure === undefined ? undefined : `liveness probe failed: ${failure}`;
}

/** Asks once per period. Returns the last reason after too many failures in a row. */
async function follow(
  clock: Clock,
  probe: Probe,
  ask: AskOnce,
  signal: AbortSignal,
  { until }: { readonly until: "first-success" | "failure" },
): Promise<string | undefined> {
  const timeoutMs = (probe.timeoutSeconds || TIMEOUT_SECONDS_DEFAULT) * 1_000;
  const periodMs = (probe.periodSeconds || PERIOD_SECONDS_DEFAULT) * 1_000;
  const failuresMax = probe.failureThreshold || FAILURES_DEFAULT;
  await pause(clock, (probe.initialDelaySeconds ?? 0) * 1_000, signal);
  for (let failures = 0; !signal.aborted; ) {
    const result = await ask({ clock, timeoutMs, signal });
    if (signal.aborted) return undefined;
    if (result.kind === "ready") {
      if (until === "first-success") return undefined;
      failures = 0;
    } else {
      failures++;
      if (failures >= failuresMax) return result.because;
    }
    await pause(clock, periodMs, signal);
  }
  return undefined;
}

/** How to ask a probe, if it can be. */
function asker(
  { ask, exec }: LivenessDeps,
  probe: Probe | undefined,
  aim: { readonly toldPort: number | undefined; readonly userPort: number },
): AskOnce | undefined {
  if (probe === undefined) return undefined;
  const command = probe.exec?.command;
  if (command !== undefined) {
    return exec === undefined ? undefined : (options) => exec(command, options);
  }
  if (probe.httpGet === undefined && probe.tcpSocket === undefined && probe.grpc === undefined) {
    return undefined;
  }
  const target = aimed(probe, aim);
  return (options) => ask(target, options);
}

/** The manifest's port stands for the one the process was given; a probe of any other port keeps it. */
function aimed(
  probe: Probe,
  { toldPort, userPort }: { readonly toldPort: number | undefined; readonly userPort: number },
): ProbeTarget {
  const target = probeTarget(probe, { ip: "127.0.0.1", port: userPort });
  return target.port === toldPort ? { ...target, port: userPort } : target;
}
