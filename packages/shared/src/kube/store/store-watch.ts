import type { Clock } from "../../clock/clock.ts";
import { KubeError, type ListQuery } from "../client.ts";
import type { Kind, KubeObject } from "../object.ts";
import { badRequest } from "./errors.ts";
import type { Change, History } from "./history.ts";
import type { ObjectStore } from "./object-store.ts";
import { compileQuery, type Matcher } from "./query.ts";
import type { StoredObject } from "./stored-object.ts";

export interface StoreWatchSink {
  event(type: Change["type"], object: StoredObject): void;
  closed(reason: KubeError | undefined): void;
}

/**
 * One watch: reads a kind's history from a version on, at its own pace, after the writes that made it. It queues
 * nothing: a watch the history has outrun ends as expired.
 */
export class StoreWatch implements Disposable {
  readonly #clock: Pick<Clock, "soon">;
  readonly #history: History;
  readonly #matches: Matcher;
  readonly #sink: StoreWatchSink;
  readonly #observation: Disposable;
  readonly #version: string;
  #sequence: number | undefined;
  #isScheduled = false;
  #isClosed = false;

  /** @throws KubeError `BadRequest` for a malformed selector or version */
  constructor(
    deps: { readonly store: ObjectStore; readonly clock: Pick<Clock, "soon"> },
    kind: Kind<KubeObject>,
    query: ListQuery & { readonly resourceVersion: string },
    sink: StoreWatchSink,
  ) {
    const { resourceVersion } = query;
    if (!/^\d+$/.test(resourceVersion)) throw badRequest(`invalid resource version "${resourceVersion}"`);
    this.#clock = deps.clock;
    this.#history = deps.store.history(kind);
    this.#matches = compileQuery(kind, query);
    this.#sink = sink;
    this.#version = resourceVersion;
    this.#sequence = this.#history.sequenceAfter(Number(resourceVersion));
    this.#observation = deps.store.observe((changed) => {
      if (changed.plural === kind.plural && changed.group === kind.group) this.#schedule();
    });
    this.#schedule();
  }

  /** Ends the watch. The sink hears that it is closed, and nothing after it. */
  [Symbol.dispose](): void {
    this.#close(undefined);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    this.#clock.soon(() => {
      this.#isScheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (!this.#isClosed) {
      const sequence = this.#sequence;
      if (sequence === undefined || sequence < this.#history.sequenceFirst) {
        this.#close(new KubeError("Expired", `too old resource version: ${this.#version}`));
        return;
      }
      const change = this.#history.at(sequence);
      if (change === undefined) return;
      this.#sequence = sequence + 1;
      const event = selected(change, this.#matches);
      if (event !== undefined) this.#sink.event(event.type, event.object);
    }
  }

  #close(reason: KubeError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#observation[Symbol.dispose]();
    this.#sink.closed(reason);
  }
}

/** How a change looks to who sees only matching objects: one that stops matching is deleted for them. P-113 */
function selected(
  change: Change,
  matches: Matcher,
): { readonly type: Change["type"]; readonly object: StoredObject } | undefined {
  const { type, object, before } = change;
  const matched = before !== undefined && matches(before);
  if (type === "DELETED") return matched ? { type, object } : undefined;
  if (matches(object)) return { type: matched ? "MODIFIED" : "ADDED", object };
  if (!matched) return undefined;
  const { resourceVersion } = object.metadata;
  const last = Object.freeze({ ...before, metadata: Object.freeze({ ...before.metadata, resourceVersion }) });
  return { type: "DELETED", object: last };
}
