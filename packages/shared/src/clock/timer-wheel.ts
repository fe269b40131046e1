import type { Clock, MonoMs } from "./clock.ts";

/** How late a timer of the wheel may fire; it never fires early. Deadlines are seconds, so this is nothing to them. */
const TICK_MS = 10;
/** One turn of the wheel is 5.12 s; a timer further away is passed over once a turn. */
const SLOT_COUNT = 512;

/**
 * One deadline on a `TimerWheel`. Made to be extended by, or kept in, the object whose deadline it is, so that arming
 * one per request allocates nothing. Armed again, it moves.
 */
export abstract class WheelTimer {
  /** @internal The wheel's own: place in its slot's ring, and when it is due. */
  readonly link: WheelLink = { dueTick: 0, next: undefined, previous: undefined, timer: this };

  get isArmed(): boolean {
    return this.link.next !== undefined;
  }

  /** Called once per arming, not before its time. May arm itself again. */
  abstract timerFired(now: MonoMs): void;
}

interface WheelLink {
  dueTick: number;
  next: WheelLink | undefined;
  previous: WheelLink | undefined;
  readonly timer: WheelTimer | undefined;
}

/**
 * Many deadlines for the price of one timer: arming and disarming is a few assignments. Fires up to 10 ms late. The
 * clock is armed while there is something to wait for; when the last timer is disarmed it fires once more, for nothing.
 */
export class TimerWheel implements Disposable {
  readonly #clock: Clock;
  readonly #slots: (WheelLink | undefined)[] = new Array<WheelLink | undefined>(SLOT_COUNT).fill(undefined);
  #count = 0;
  /** Every tick up to this one has been served. */
  #servedTick: number;
  /** When the clock is to wake us; infinite while it is not armed. */
  #wakeTick = Number.POSITIVE_INFINITY;
  #wake: Disposable | undefined;
  readonly #onWake = (): void => this.#serve();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#servedTick = Math.floor(clock.now() / TICK_MS);
  }

  /** Timers that are armed. */
  get count(): number {
    return this.#count;
  }

  /** Fires `timer` once, `delayMs` after `now`, which saves reading the clock when the caller has just done so. */
  arm(timer: WheelTimer, delayMs: number, now: MonoMs = this.#clock.now()): void {
    if (timer.isArmed) this.disarm(timer);
    // Rounded up, and behind the tick being served: never early, and never twice in one turn.
    const dueTick = Math.max(Math.ceil((now + Math.max(0, delayMs)) / TICK_MS), this.#servedTick + 1);
    const { link } = timer;
    link.dueTick = dueTick;
    const at = dueTick % SLOT_COUNT;
    let ring = this.#slots[at];
    if (ring === undefined) {
      ring = newRing();
      this.#slots[at] = ring;
    }
    link.previous = ring.previous;
    link.next = ring;
    if (ring.previous !== undefined) ring.previous.next = link;
    ring.previous = link;
    this.#count++;
    if (dueTick < this.#wakeTick) this.#wakeAt(dueTick);
  }

  /** Disarmed, it does not fire. Does nothing to a timer that is not armed. */
  disarm(timer: WheelTimer): void {
    const { link } = timer;
    if (link.next === undefined || link.previous === undefined) return;
    link.previous.next = link.next;
    link.next.previous = link.previous;
    link.next = undefined;
    link.previous = undefined;
    this.#count--;
  }

  /** Nothing fires any more. */
  close(): void {
    for (const ring of this.#slots) {
      for (let link = ring?.next; link?.timer !== undefined; link = ring?.next) this.disarm(link.timer);
    }
    this.#wake?.[Symbol.dispose]();
    this.#wake = undefined;
    this.#wakeTick = Number.POSITIVE_INFINITY;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #serve(): void {
    const now = this.#clock.now();
    const nowTick = Math.floor(now / TICK_MS);
    this.#wakeTick = Number.POSITIVE_INFINITY;
    this.#wake = undefined;
    // After a long sleep one turn visits every slot; more would visit them again.
    const firstTick = Math.max(this.#servedTick + 1, nowTick - SLOT_COUNT + 1);
    for (let tick = firstTick; tick <= nowTick; tick++) {
      this.#servedTick = tick;
      this.#serveSlot(tick % SLOT_COUNT, nowTick, now);
    }
    this.#servedTick = Math.max(this.#servedTick, nowTick);
    if (this.#count > 0) this.#wakeAtNext();
  }

  #serveSlot(at: number, nowTick: number, now: MonoMs): void {
    const ring = this.#slots[at];
    if (ring === undefined || ring.next === ring) return;
    // What is due leaves the ring first: timers may arm and disarm one another while they fire.
    const due: WheelTimer[] = [];
    for (let link = ring.next; link !== undefined && link !== ring; link = link.next) {
      if (link.dueTick <= nowTick && link.timer !== undefined) due.push(link.timer);
    }
    for (const timer of due) {
      if (!timer.isArmed || timer.link.dueTick > nowTick) continue;
      this.disarm(timer);
      timer.timerFired(now);
    }
  }

  /** The next slot that holds anything, due in this turn or not. */
  #wakeAtNext(): void {
    for (let tick = this.#servedTick + 1; tick <= this.#servedTick + SLOT_COUNT; tick++) {
      const ring = this.#slots[tick % SLOT_COUNT];
      if (ring !== undefined && ring.next !== ring) {
        if (tick < this.#wakeTick) this.#wakeAt(tick);
        return;
      }
    }
  }

  #wakeAt(tick: number): void {
    this.#wake?.[Symbol.dispose]();
    this.#wakeTick = tick;
    this.#wake = this.#clock.after(Math.max(0, tick * TICK_MS - this.#clock.now()), this.#onWake);
  }
}

function newRing(): WheelLink {
  const ring: WheelLink = { dueTick: 0, next: undefined, previous: undefined, timer: undefined };
  ring.next = ring;
  ring.previous = ring;
  return ring;
}
