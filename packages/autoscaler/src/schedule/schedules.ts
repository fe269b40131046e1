import { type Logger, rouse, type WallMs } from "@rouse/shared";
import type { ScaleBounds } from "../apply/bounds.ts";
import { parseSchedule, type Scheduled, type ScheduleWindow, scheduledAt } from "./schedule.ts";

/** Schedules read and remembered by their text; services share few of them. */
const REMEMBERED_MAX = 1_000;

/** What nothing is scheduled comes to. */
const nothing: Scheduled = { floor: 0, ceiling: undefined, nextChangeMs: undefined };

/** What revisions' schedules ask for now. One that cannot be read counts as not there, and is logged once. */
export class Schedules {
  readonly #log: Logger;
  readonly #byText = new Map<string, readonly ScheduleWindow[]>();

  constructor(log: Logger) {
    this.#log = log;
  }

  of(annotations: Readonly<Record<string, string>> | undefined, now: WallMs): Scheduled {
    const text = annotations?.[rouse.schedule];
    if (text === undefined) return nothing;
    return scheduledAt(this.#windows(text), now);
  }

  #windows(text: string): readonly ScheduleWindow[] {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const parsed = parseSchedule(text);
    if (parsed.kind === "invalid") this.#log.warn("schedule ignored", { problem: parsed.problem });
    const windows = parsed.kind === "schedule" ? parsed.windows : [];
    if (this.#byText.size >= REMEMBERED_MAX) this.#byText.clear();
    this.#byText.set(text, windows);
    return windows;
  }
}

/**
 * Bounds with what is scheduled: a floor raises the minimum, within the maximum; a ceiling lowers what is kept
 * standing. Neither touches the maximum, so what the load asks for is never cut.
 */
export function scheduledBounds({ min, max }: ScaleBounds, { floor, ceiling }: Scheduled): ScaleBounds {
  const raised = Math.max(min, max > 0 ? Math.min(floor, max) : floor);
  return { min: ceiling === undefined ? raised : Math.min(raised, ceiling), max };
}
