import {
  type Clock,
  type DeleteOptions,
  type Kind,
  type KubeClient,
  KubeError,
  type KubeObject,
  type ListQuery,
  type MonoMs,
  type ObjectList,
  type ObjectRef,
  type Patch,
  type Random,
  type Stored,
  type Subresource,
  type WallMs,
  type WatchSink,
} from "@rouse/shared";

export interface ClientFaults {
  /** Of writes: half of them fail before they took effect, half after. */
  readonly writeFailures: number;
  readonly conflicts: number;
  /** Watch events are late by up to this, in order. */
  readonly lagMs: number;
  /** Of watch events: the watch ends after it. */
  readonly watchEnds: number;
}

/** The API as one component sees it on a bad day. */
export class FaultyClient implements KubeClient {
  readonly #inner: KubeClient;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #faults: () => ClientFaults;

  /** `faults` is asked each time, so that days may become better. */
  constructor(
    inner: KubeClient,
    deps: { readonly clock: Clock; readonly random: Random },
    faults: () => ClientFaults,
  ) {
    this.#inner = inner;
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#faults = faults;
  }

  get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<Stored<T>> {
    return this.#inner.get(kind, ref);
  }

  list<T extends KubeObject>(kind: Kind<T>, query?: ListQuery): Promise<ObjectList<T>> {
    return this.#inner.list(kind, query);
  }

  watch<T extends KubeObject>(
    kind: Kind<T>,
    query: ListQuery & { readonly resourceVersion: string },
    sink: WatchSink<T>,
  ): Disposable {
    let lastDueAt = 0;
    let isOver = false;
    const late = (deliver: () => void): void => {
      const { lagMs } = this.#faults();
      if (lagMs === 0 && lastDueAt <= this.#clock.now()) {
        deliver();
        return;
      }
      const now = this.#clock.now();
      lastDueAt = Math.max(lastDueAt, now + this.#random.integer(0, lagMs));
      this.#clock.after(lastDueAt - now, () => {
        if (!isOver) deliver();
      });
    };
    const watch = this.#inner.watch(kind, query, {
      event: (event) => {
        late(() => sink.event(event));
        if (!this.#random.chance(this.#faults().watchEnds)) return;
        watch[Symbol.dispose]();
        late(() => {
          isOver = true;
          sink.closed(new KubeError("Expired", "the watch is too old"));
        });
      },
      closed: (reason) => late(() => sink.closed(reason)),
    });
    return {
      [Symbol.dispose]: () => {
        isOver = true;
        watch[Symbol.dispose]();
      },
    };
  }

  create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>> {
    return this.#write(() => this.#inner.create(kind, object));
  }

  update<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>> {
    return this.#write(() => this.#inner.update(kind, object), { canConflict: true });
  }

  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>> {
    return this.#write(() => this.#inner.updateStatus(kind, object), { canConflict: true });
  }

  patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    patch: Patch,
    subresource?: Subresource,
  ): Promise<Stored<T>> {
    return this.#write(() => this.#inner.patch(kind, ref, patch, subresource));
  }

  delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options?: DeleteOptions): Promise<void> {
    return this.#write(() => this.#inner.delete(kind, ref, options));
  }

  async #write<R>(write: () => Promise<R>, { canConflict = false } = {}): Promise<R> {
    const { writeFailures, conflicts } = this.#faults();
    if (canConflict && this.#random.chance(conflicts))
      throw new KubeError("Conflict", "the object has been modified");
    if (this.#random.chance(writeFailures / 2)) throw new KubeError("InternalError", "refused");
    const answer = await write();
    if (this.#random.chance(writeFailures / 2)) throw new KubeError("Timeout", "the answer was lost");
    return answer;
  }
}

/** A component's clock that stands still now and then: its timers fire late, as in a process that gets no CPU. */
export class StallingClock implements Clock {
  readonly #inner: Clock;
  #stalledUntil = 0;

  constructor(inner: Clock) {
    this.#inner = inner;
  }

  stall(ms: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#inner.now() + ms);
  }

  now(): MonoMs {
    return this.#inner.now();
  }

  wall(): WallMs {
    return this.#inner.wall();
  }

  after(delayMs: number, fire: () => void): Disposable {
    let timer = this.#inner.after(delayMs, () => attempt());
    const attempt = (): void => {
      const restMs = this.#stalledUntil - this.#inner.now();
      if (restMs > 0) timer = this.#inner.after(restMs, () => attempt());
      else fire();
    };
    return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
  }

  soon(run: () => void): void {
    const restMs = this.#stalledUntil - this.#inner.now();
    if (restMs > 0) this.#inner.after(restMs, run);
    else this.#inner.soon(run);
  }

  soonInBulk(run: () => void): void {
    this.soon(run);
  }
}
