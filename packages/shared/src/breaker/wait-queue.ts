import { assert } from "../invariant.ts";

/** One place in a `WaitQueue`. Belongs to the queue that made it. */
export interface Waiter<T> {
  readonly value: T;
  /** False once it has been taken or removed. */
  readonly isWaiting: boolean;
}

interface Link<T> extends Waiter<T> {
  isWaiting: boolean;
  older: Link<T> | undefined;
  newer: Link<T> | undefined;
}

/**
 * Those who wait, oldest first. Joining, taking the oldest and leaving from the middle are O(1), and one that left
 * costs nothing afterwards: a list rather than an array, whose holes behind a long-waiting head would pile up.
 * Unbounded by itself; `BreakerCore` or the owner counts.
 */
export class WaitQueue<T> {
  #oldest: Link<T> | undefined;
  #newest: Link<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(value: T): Waiter<T> {
    const link: Link<T> = { value, isWaiting: true, older: this.#newest, newer: undefined };
    if (this.#newest === undefined) this.#oldest = link;
    else this.#newest.newer = link;
    this.#newest = link;
    this.#size++;
    return link;
  }

  /**
   * In front of the first one `goesBefore` says yes to, else last. For one that was taken, could not be served through
   * no fault of its own, and gets its old place back: as many steps as there are others in front.
   */
  insert(value: T, goesBefore: (other: T) => boolean): Waiter<T> {
    let newer = this.#oldest;
    while (newer !== undefined && !goesBefore(newer.value)) newer = newer.newer;
    if (newer === undefined) return this.push(value);
    const link: Link<T> = { value, isWaiting: true, older: newer.older, newer };
    if (newer.older === undefined) this.#oldest = link;
    else newer.older.newer = link;
    newer.older = link;
    this.#size++;
    return link;
  }

  /** The oldest, left where it is. */
  peek(): T | undefined {
    return this.#oldest?.value;
  }

  /** Takes the oldest. `undefined` if nobody waits. */
  shift(): T | undefined {
    const link = this.#oldest;
    if (link === undefined) return undefined;
    this.#unlink(link);
    return link.value;
  }

  /** Takes one out of the middle. Nothing happens if it no longer waits. Returns whether it did. */
  remove(waiter: Waiter<T>): boolean {
    if (!waiter.isWaiting) return false;
    assert(isLink(waiter), "a waiter of no queue");
    this.#unlink(waiter);
    return true;
  }

  /** Everyone who waits, oldest first. The one just returned may be removed while walking. */
  *[Symbol.iterator](): IterableIterator<Waiter<T>> {
    for (let link = this.#oldest; link !== undefined; ) {
      const next: Link<T> | undefined = link.newer;
      yield link;
      link = next;
    }
  }

  #unlink(link: Link<T>): void {
    if (link.older === undefined) this.#oldest = link.newer;
    else link.older.newer = link.newer;
    if (link.newer === undefined) this.#newest = link.older;
    else link.newer.older = link.older;
    link.older = undefined;
    link.newer = undefined;
    link.isWaiting = false;
    this.#size--;
  }
}

function isLink<T>(waiter: Waiter<T>): waiter is Link<T> {
  return "older" in waiter;
}
