import { type Clock, encodeStatMessages, type StatMessage, type StatSink } from "@rouse/shared";
import type { BucketHolders } from "./bucket-holders.ts";
import type { Buckets } from "./buckets.ts";
import { RemoteLink } from "./remote-link.ts";

/** A stat that could not be delivered is tried again this often, then dropped. S-138. */
const RETRY_MS = 500;
const TRIES_MAX = 30;
/** Stats waiting for another try; the oldest is dropped for a new one. S-139. */
const WAITING_MAX = 1_000;

interface Waiting {
  readonly message: StatMessage;
  readonly tries: number;
}

export interface ForwarderDeps {
  readonly clock: Clock;
  readonly buckets: Buckets;
  readonly holders: BucketHolders;
  /** Takes what this process decides itself. */
  readonly local: StatSink;
}

/** Brings each stat to the autoscaler that decides for its revision. S-135, S-137, S-138. */
export class Forwarder implements StatSink, Disposable {
  readonly #deps: ForwarderDeps;
  readonly #links = new Map<string, RemoteLink>();
  #waiting: Waiting[] = [];
  #timer: Disposable | undefined;
  #dropped = 0;
  #isClosed = false;

  constructor(deps: ForwarderDeps) {
    this.#deps = deps;
  }

  /** Stats given up since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Stats that wait for another try. */
  get waiting(): number {
    return this.#waiting.length;
  }

  send(batch: readonly StatMessage[]): void {
    if (this.#isClosed) return;
    const local: StatMessage[] = [];
    for (const message of batch) {
      const bucket = this.#deps.buckets.of(message.revision);
      if (this.#deps.holders.holder(bucket)?.kind === "local") local.push(message);
      else if (!this.#sendAway(bucket, message)) this.#wait({ message, tries: 1 });
    }
    if (local.length > 0) this.#deps.local.send(local);
  }

  /** The connection to a former holder says nothing about the next one. S-135. */
  holderChanged(bucket: string): void {
    this.#links.get(bucket)?.[Symbol.dispose]();
    this.#links.delete(bucket);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    for (const link of this.#links.values()) link[Symbol.dispose]();
    this.#links.clear();
    this.#waiting = [];
  }

  /** `false`: not now. */
  #sendAway(bucket: string, message: StatMessage): boolean {
    const holder = this.#deps.holders.holder(bucket);
    if (holder?.kind !== "remote") return false;
    let link = this.#links.get(bucket);
    if (link === undefined) {
      link = new RemoteLink(this.#deps.clock, holder.urls);
      this.#links.set(bucket, link);
    }
    return link.send(encodeStatMessages([message]));
  }

  #wait(waiting: Waiting): void {
    if (this.#waiting.length >= WAITING_MAX) {
      this.#waiting.shift();
      this.#dropped++;
    }
    this.#waiting.push(waiting);
    this.#timer ??= this.#deps.clock.after(RETRY_MS, () => this.#retry());
  }

  #retry(): void {
    this.#timer = undefined;
    const due = this.#waiting;
    this.#waiting = [];
    for (const { message, tries } of due) {
      const bucket = this.#deps.buckets.of(message.revision);
      if (this.#deps.holders.holder(bucket)?.kind === "local") this.#deps.local.send([message]);
      else if (this.#sendAway(bucket, message)) continue;
      else if (tries >= TRIES_MAX) this.#dropped++;
      else this.#wait({ message, tries: tries + 1 });
    }
  }
}
