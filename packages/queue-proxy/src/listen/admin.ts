import { type Clock, type Logger, ports } from "@rouse/shared";
import { type SideListener, startSideListener } from "./side-listener.ts";

/** The part of a sidecar that knows when traffic has moved away. */
export interface DrainControl {
  /** Begins a drain or joins it; resolves when it is complete, what runs included. */
  finish(): Promise<void>;
  reset(): void;
}

export interface AdminDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly drain: DrainControl;
  /** Whether the process has been told to end. */
  readonly isEnding: () => boolean;
}

const WAIT_FOR_DRAIN = "/wait-for-drain";
/** Without a signal by then the program was merely restarted. Q-114 */
const SIGNAL_MS = 1_000;

/** The kubelet's listener: holds the end of the program's containers until the pod is out of use. ..Q-114 */
export function startAdmin(deps: AdminDeps, ip: string): Promise<SideListener> {
  const { clock, log, drain, isEnding } = deps;
  return startSideListener(
    deps,
    { ip, port: ports.queueAdmin },
    {
      path: WAIT_FOR_DRAIN,
      answer: (exchange) => {
        log.info("Attached drain handler from user-container");
        const timer = clock.after(SIGNAL_MS, () => {
          if (!isEnding()) drain.reset();
        });
        void drain.finish().then(() => {
          timer[Symbol.dispose]();
          exchange.respond({ status: 200 });
        });
      },
    },
  );
}
