import type { Clock } from "@rouse/shared";

const LINES_MAX = 4_000;

/** What happened in a world, in order, and what of it must not have. */
export class History {
  /** The oldest is forgotten first. */
  readonly lines: string[] = [];
  readonly violations: string[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tell(text: string): void {
    if (this.lines.length === LINES_MAX) this.lines.shift();
    this.lines.push(`${(this.#clock.now() / 1_000).toFixed(3).padStart(9)}  ${text}`);
  }

  violate(text: string): void {
    this.tell(`VIOLATION ${text}`);
    this.violations.push(text);
  }
}
