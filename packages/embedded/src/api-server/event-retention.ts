import { type Clock, EventKind, type ObjectKey, type ObjectStore, objectKey, objectRef } from "@rouse/shared";

/** P-67: the reference forgets events after an hour; here also those beyond the last thousand. */
const EVENTS_MAX = 1_000;
const EVENT_MS_MAX = 3_600_000;

export interface EventRetentionDeps {
  readonly store: ObjectStore;
  readonly clock: Pick<Clock, "now" | "soon">;
}

/** Forgets Events that are old or too many, whenever there is a new one. An event that is told again is new. */
export class EventRetention implements Disposable {
  readonly #store: ObjectStore;
  readonly #clock: Pick<Clock, "now" | "soon">;
  readonly #observation: Disposable;
  /** When each was last written, oldest first. */
  readonly #writtenAt = new Map<ObjectKey, number>();
  #isScheduled = false;
  #isClosed = false;

  constructor(deps: EventRetentionDeps) {
    this.#store = deps.store;
    this.#clock = deps.clock;
    this.#observation = deps.store.observe((kind, { type, object }) => {
      if (kind.plural !== EventKind.plural) return;
      const key = objectKey(object.metadata);
      this.#writtenAt.delete(key);
      if (type === "DELETED") return;
      this.#writtenAt.set(key, this.#clock.now());
      this.#schedule();
    });
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#observation[Symbol.dispose]();
  }

  /** After the write that is running: a listener of the store may not write itself. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.soon(() => {
      this.#isScheduled = false;
      this.#forget();
    });
  }

  #forget(): void {
    const oldest = this.#clock.now() - EVENT_MS_MAX;
    for (const [key, at] of this.#writtenAt) {
      if (this.#isClosed || (this.#writtenAt.size <= EVENTS_MAX && at >= oldest)) return;
      this.#store.delete(EventKind, objectRef(key));
    }
  }
}
