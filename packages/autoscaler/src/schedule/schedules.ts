import {
  type ObjectKey,
  objectKey,
  type PodAutoscaler,
  rouse,
  type Stored,
  type WallMs,
} from "@rouse/shared";
import type { ScaleBounds } from "../apply/bounds.ts";
import { type ParsedSchedule, parseSchedule, type Scheduled, scheduledAt } from "./schedule.ts";

/** Schedules read and remembered by their text; services share few of them. */
const REMEMBERED_MAX = 1_000;

/** What nothing is scheduled comes to. */
const nothing: Scheduled = { floor: 0, ceiling: undefined, nextChangeMs: undefined };

/** What revisions' schedules ask for now. One that cannot be read counts as not there. */
export class Schedules {
  readonly #ignored: (autoscaler: Stored<PodAutoscaler>, problem: string) => void;
  readonly #byText = new Map<string, ParsedSchedule>();
  /** The text each revision was last told of. */
  readonly #told = new Map<ObjectKey, string>();

  /** @param ignored told once of each schedule of a revision that cannot be read, and why */
  constructor(ignored: (autoscaler: Stored<PodAutoscaler>, problem: string) => void) {
    this.#ignored = ignored;
  }

  of(autoscaler: Stored<PodAutoscaler>, now: WallMs): Scheduled {
    const text = autoscaler.metadata.annotations?.[rouse.schedule];
    if (text === undefined) return nothing;
    const parsed = this.#parse(text);
    if (parsed.kind === "schedule") return scheduledAt(parsed.windows, now);
    this.#tell(autoscaler, text, parsed.problem);
    return nothing;
  }

  #tell(autoscaler: Stored<PodAutoscaler>, text: string, problem: string): void {
    const key = objectKey(autoscaler.metadata);
    if (this.#told.get(key) === text) return;
    if (this.#told.size >= REMEMBERED_MAX) this.#told.clear();
    this.#told.set(key, text);
    this.#ignored(autoscaler, problem);
  }

  #parse(text: string): ParsedSchedule {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const parsed = parseSchedule(text);
    if (this.#byText.size >= REMEMBERED_MAX) this.#byText.clear();
    this.#byText.set(text, parsed);
    return parsed;
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
