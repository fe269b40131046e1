import { parseDuration, rfc3339, type WallMs } from "@rouse/shared";
import { Cron } from "croner";
import { read } from "../config/values.ts";

/** What a revision's annotation may hold: more is refused. */
const WINDOWS_MAX = 32;
const TEXT_MAX = 4_096;
const WEEK_MS = 7 * 24 * 3_600_000;
const WINDOW = /^(?<cron>.+?)\s+for\s+(?<duration>\S+)(?<settings>(?:\s+\w+=\S+)*)$/;

/** A recurring time in which a revision keeps at least, or is asked to keep at most, so many pods. */
export interface ScheduleWindow {
  readonly cron: Cron;
  readonly durationMs: number;
  readonly floor: number | undefined;
  readonly ceiling: number | undefined;
}

/** What a schedule asks for at an instant. */
export interface Scheduled {
  /** Pods to have whatever the load: the largest of the windows that are open. 0 = none. */
  readonly floor: number;
  /** Pods to keep standing at most; load is never cut by it. `undefined` = no bound. */
  readonly ceiling: number | undefined;
  /** Until a window opens or closes; `undefined` if none ever will. */
  readonly nextChangeMs: number | undefined;
}

export type ParsedSchedule =
  | { readonly kind: "schedule"; readonly windows: readonly ScheduleWindow[] }
  | { readonly kind: "invalid"; readonly problem: string };

/**
 * Reads `rouse.dev/schedule`: windows separated by `;`, each a cron pattern of five fields, how long it lasts, and
 * `min`, `max` and `tz` in any order: `0 8 * * 1-5 for 10h min=2 tz=Europe/Berlin; 0 22 * * * for 9h max=0`.
 */
export function parseSchedule(text: string): ParsedSchedule {
  if (text.length > TEXT_MAX) return { kind: "invalid", problem: `longer than ${TEXT_MAX} characters` };
  const parts = text.split(";").map((part) => part.trim());
  if (parts.at(-1) === "") parts.pop();
  if (parts.length > WINDOWS_MAX) return { kind: "invalid", problem: `more than ${WINDOWS_MAX} windows` };
  const windows: ScheduleWindow[] = [];
  for (const part of parts) {
    const window = parseWindow(part);
    if (typeof window === "string") return { kind: "invalid", problem: `${part}: ${window}` };
    windows.push(window);
  }
  return { kind: "schedule", windows };
}

/** The window, or what is wrong with it. */
function parseWindow(text: string): ScheduleWindow | string {
  const groups = WINDOW.exec(text)?.groups;
  if (groups === undefined) return "expected <cron> for <duration> [min=<n>] [max=<n>] [tz=<zone>]";
  const durationMs = parseDuration(groups.duration ?? "");
  if (durationMs === undefined || durationMs < 60_000 || durationMs > WEEK_MS) {
    return "the duration must be one minute to seven days";
  }
  const settings = new Map<string, string>();
  for (const setting of (groups.settings ?? "").split(/\s+/).filter((word) => word !== "")) {
    const [key = "", value = ""] = setting.split("=", 2);
    if (!["min", "max", "tz"].includes(key) || settings.has(key)) return `unexpected ${setting}`;
    settings.set(key, value);
  }
  const pods = (key: string): number | undefined | "malformed" => {
    const value = settings.get(key);
    if (value === undefined) return undefined;
    const count = read.int32(value);
    return count === undefined || count < 0 ? "malformed" : count;
  };
  const [floor, ceiling] = [pods("min"), pods("max")];
  if (floor === "malformed" || ceiling === "malformed") return "min and max are whole numbers of pods";
  if (floor === undefined && ceiling === undefined) return "says neither min nor max";
  if (floor !== undefined && ceiling !== undefined && ceiling < floor) return "max is below min";
  const timezone = settings.get("tz") ?? "UTC";
  try {
    const cron = new Cron(groups.cron ?? "", { paused: true, timezone, mode: "5-part" });
    cron.nextRun(rfc3339(0 as WallMs)); // an unknown zone is noticed only now
    return { cron, durationMs, floor, ceiling };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What the windows that are open at `now` ask for together. */
export function scheduledAt(windows: readonly ScheduleWindow[], now: WallMs): Scheduled {
  let floor = 0;
  let ceiling: number | undefined;
  let nextChangeMs: number | undefined;
  const change = (afterMs: number): void => {
    nextChangeMs = Math.min(nextChangeMs ?? afterMs, afterMs);
  };
  for (const window of windows) {
    const openedAt = lastOpening(window, now);
    if (openedAt !== undefined) {
      floor = Math.max(floor, window.floor ?? 0);
      if (window.ceiling !== undefined) ceiling = Math.min(ceiling ?? window.ceiling, window.ceiling);
      change(openedAt + window.durationMs - now);
    }
    const opensAt = opening(window.cron, now);
    if (opensAt !== undefined) change(opensAt - now);
  }
  return { floor, ceiling, nextChangeMs };
}

/** When the window opened last, if it is open. One that opens again before it has closed stays open. */
function lastOpening({ cron, durationMs }: ScheduleWindow, now: WallMs): WallMs | undefined {
  const [last] = cron.previousRuns(1, rfc3339((now + 1_000) as WallMs)); // an opening at this very second is one
  const openedAt = last?.getTime() as WallMs | undefined;
  return openedAt !== undefined && openedAt <= now && openedAt + durationMs > now ? openedAt : undefined;
}

/** The first opening after `after`, in whole seconds. */
function opening(cron: Cron, after: WallMs): WallMs | undefined {
  const next = cron.nextRun(rfc3339(after));
  return next === null ? undefined : (next.getTime() as WallMs);
}
