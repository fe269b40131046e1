import type { Clock, Logger, ProxyError } from "@rouse/shared";
import type { Ejection } from "../balance/pod-set.ts";
import type { PodTracker } from "../balance/pod-tracker.ts";
import type { RevisionEntry } from "../resolve/revision-entry.ts";

export interface EjectionsDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** A pod of the revision may be tried again. */
  readonly readmitted: (entry: RevisionEntry) => void;
}

/** Leaves pods out for a while that could not take a request, and lets them in again. */
export class Ejections {
  readonly #deps: EjectionsDeps;

  constructor(deps: EjectionsDeps) {
    this.#deps = deps;
  }

  /** @param evenLast it is known that the pod cannot take any: there is no use in trying it because it is the last */
  eject(
    entry: RevisionEntry,
    tracker: PodTracker,
    { error, evenLast }: { readonly error: ProxyError; readonly evenLast: boolean },
  ): Ejection["kind"] {
    const { clock, log, readmitted } = this.#deps;
    const out = entry.throttle.pods.eject(tracker, { evenLast });
    if (out.kind !== "ejected") return out.kind;
    const { forMs: ejectedMs, ejection } = out;
    log.warn("pod could not be reached", {
      revision: entry.target.key,
      endpoint: tracker.endpoint,
      because: error.message,
      ejectedMs,
    });
    const timer = clock.after(ejectedMs, () => {
      entry.ejections.delete(timer);
      entry.throttle.pods.readmit(tracker, ejection);
      readmitted(entry);
    });
    entry.ejections.add(timer);
    return "ejected";
  }
}
