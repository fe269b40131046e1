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
  /** Whether an address may ask. */
  readonly mayAsk: (ip: string) => boolean;
}

const WAIT_FOR_DRAIN = "/wait-for-drain";
/** Without a signal by then the program was merely restarted. Q-114 */
const SIGNAL_MS = 1_000;
const FORBIDDEN = {
  status: 403,
  headers: { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" },
  body: "this address may not ask for a drain\n",
} as const;

/**
 * The kubelet's listener: holds the end of the program's containers until the pod is out of use. ..Q-114. Whoever
 * is heard makes the pod unready for a second, so others than the kubelet may be left out (E-12).
 */
export function startAdmin(deps: AdminDeps, ip: string): Promise<SideListener> {
  const { clock, log, drain, isEnding, mayAsk } = deps;
  return startSideListener(
    deps,
    { ip, port: ports.queueAdmin },
    {
      path: WAIT_FOR_DRAIN,
      answer: (exchange) => {
        if (!mayAsk(exchange.client.ip)) {
          exchange.respond(FORBIDDEN);
          return;
        }
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
