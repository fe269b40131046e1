const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** Milliseconds of a Go duration (`90s`, `1m30s`, `500ms`, bare `0`), or `undefined` if the text is none. S-4. */
export function parseDuration(text: string): number | undefined {
  const isNegative = text.startsWith("-");
  const body = isNegative || text.startsWith("+") ? text.slice(1) : text;
  if (body === "0") return 0;
  if (body === "") return undefined;
  let totalMs = 0;
  PART.lastIndex = 0;
  for (let at = 0; at < body.length; at = PART.lastIndex) {
    const part = PART.exec(body);
    const unitMs = UNIT_MS[part?.[2] ?? ""];
    if (part === null || unitMs === undefined) return undefined;
    totalMs += Number(part[1]) * unitMs;
  }
  return isNegative ? -totalMs : totalMs;
}

/** The Go form of a duration: `1h0m0s`, `1m30s`, `500ms`, `0s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return "0s";
  const sign = durationMs < 0 ? "-" : "";
  const ms = Math.abs(durationMs);
  if (ms < 1e-3) return `${sign}${trimmed(ms * 1e6)}ns`;
  if (ms < 1) return `${sign}${trimmed(ms * 1e3)}µs`;
  if (ms < 1_000) return `${sign}${trimmed(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = `${trimmed((ms % 60_000) / 1_000)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

function trimmed(value: number): string {
  return String(Number(value.toFixed(9)));
}
