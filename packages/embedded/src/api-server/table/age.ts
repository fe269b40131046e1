import { parseRfc3339, type WallMs } from "@rouse/shared";

/** How long ago, as the reference writes it: `5s`, `3m20s`, `4h`, `2d`; `<unknown>` without a time. P-121 */
export function ageOf(time: unknown, now: WallMs): string {
  const at = typeof time === "string" ? parseRfc3339(time) : undefined;
  if (at === undefined) return "<unknown>";
  return duration(Math.max(0, Math.floor((now - at) / 1_000)));
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return two(days, "d", hours % 24, "h");
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 ? two(years, "y", days % 365, "d") : `${years}y`;
}

function two(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${small}${smallUnit}`;
}
