import { type FieldError, fieldErrors, rouse } from "@rouse/shared";
import { parseSchedule } from "./schedule.ts";

/** What is wrong with a revision's `rouse.dev/schedule`, if it has one. Paths are the key. */
export function validateSchedule(annotations: Readonly<Record<string, string>>): readonly FieldError[] {
  const text = annotations[rouse.schedule];
  if (text === undefined) return [];
  const parsed = parseSchedule(text);
  return parsed.kind === "schedule"
    ? []
    : [{ ...fieldErrors.invalid(text, rouse.schedule), details: parsed.problem }];
}
