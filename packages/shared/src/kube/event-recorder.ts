import { createHash } from "node:crypto";
import { type Clock, rfc3339 } from "../clock/clock.ts";
import type { Logger } from "../log/logger.ts";
import { isKubeError, type KubeClient } from "./client.ts";
import { EventKind, type KubeEvent } from "./kinds/core.ts";
import type { KubeObject, Stored } from "./object.ts";

/** What happened, in words a user of `kubectl describe` reads. */
export interface EventNote {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface EventRecorderDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Kubernetes cuts messages here. */
const MESSAGE_LENGTH_MAX = 1_024;

/**
 * Writes Events (C-127). The same note about the same object is one Event with a count: its name is made from what
 * it says, so nothing has to be remembered. A note that cannot be written is logged and forgotten.
 */
export class EventRecorder {
  readonly #deps: EventRecorderDeps;

  constructor(deps: EventRecorderDeps) {
    this.#deps = deps;
  }

  record(component: string, about: Stored<KubeObject>, note: EventNote): void {
    this.#write(component, about, note).catch((error: unknown) => {
      this.#deps.log.debug("event not written", { reason: note.reason, error: String(error) });
    });
  }

  async #write(component: string, about: Stored<KubeObject>, note: EventNote): Promise<void> {
    const { client, clock } = this.#deps;
    const event = makeEvent(component, about, note, rfc3339(clock.wall()));
    try {
      await client.create(EventKind, event);
    } catch (error) {
      if (!isKubeError(error, "AlreadyExists")) throw error;
      const { namespace = "", name } = event.metadata;
      const before = await client.get(EventKind, { namespace, name });
      await client.update(EventKind, {
        ...before,
        count: (before.count ?? 1) + 1,
        ...(event.lastTimestamp === undefined ? {} : { lastTimestamp: event.lastTimestamp }),
      });
    }
  }
}

function makeEvent(component: string, about: Stored<KubeObject>, note: EventNote, at: string): KubeEvent {
  const { name, namespace, uid } = about.metadata;
  const identity = [component, uid, note.type, note.reason, note.message].join("\0");
  const digest = createHash("sha256").update(identity).digest("hex").slice(0, 16);
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${name}.${digest}`, namespace },
    involvedObject: { apiVersion: about.apiVersion, kind: about.kind, namespace, name, uid },
    type: note.type,
    reason: note.reason,
    message: note.message.slice(0, MESSAGE_LENGTH_MAX),
    count: 1,
    firstTimestamp: at,
    lastTimestamp: at,
    source: { component },
  };
}
