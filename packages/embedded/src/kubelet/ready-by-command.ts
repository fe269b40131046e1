import type { Clock, Container } from "@rouse/shared";
import type { LivenessDeps } from "./liveness-watch.ts";
import { pause } from "./pause.ts";
import type { Sidecar } from "./sidecar.ts";

/** Kubernetes' default for a probe that leaves it out. */
const TIMEOUT_SECONDS_DEFAULT = 1;
/** A command is run this soon again while its program starts: it costs a process each time. */
const PERIOD_MS_STARTING = 250;

/** Asks a pod's program whether it is ready. */
export type Asker = Pick<Sidecar, "awaitReady" | "checkReady">;

/**
 * `sidecar`, and where the container's readiness probe is a command also that: queue-proxy cannot run it, and only
 * knocks at the port. C-54
 */
export function withCommand(
  sidecar: Asker,
  { readinessProbe }: Pick<Container, "readinessProbe">,
  { clock, exec }: { readonly clock: Clock; readonly exec: NonNullable<LivenessDeps["exec"]> },
): Asker {
  const command = readinessProbe?.exec?.command;
  if (command === undefined) return sidecar;
  const timeoutMs = (readinessProbe?.timeoutSeconds || TIMEOUT_SECONDS_DEFAULT) * 1_000;
  const succeeds = async (signal?: AbortSignal): Promise<boolean> => {
    const options = { clock, timeoutMs, ...(signal === undefined ? {} : { signal }) };
    return (await exec(command, options)).kind === "ready";
  };
  return {
    awaitReady: async (signal) => {
      if (!(await sidecar.awaitReady(signal))) return false;
      while (!signal.aborted && !(await succeeds(signal))) await pause(clock, PERIOD_MS_STARTING, signal);
      return !signal.aborted;
    },
    checkReady: async () => (await sidecar.checkReady()) && (await succeeds()),
  };
}
