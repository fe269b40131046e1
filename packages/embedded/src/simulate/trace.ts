/** When requests arrive, in milliseconds from the trace's begin, in order. */
export type Arrivals = Iterable<number>;

export interface Trace {
  readonly durationMs: number;
  readonly count: number;
  /** In order. To be walked once. */
  arrivals(chance: () => number): Arrivals;
}

export class TraceError extends Error {
  override readonly name = "TraceError";
}

interface Bucket {
  readonly atMs: number;
  readonly lengthMs: number;
  readonly count: number;
}

/**
 * Reads a trace of traffic: lines `time,count`, each a count of requests from that time to the next line's, or lines
 * `time`, each one request. Times are seconds from any origin, or RFC 3339. A first line that is neither is a head.
 * @throws TraceError with the line
 */
export function parseTrace(text: string): Trace {
  const rows = text
    .split(/\r?\n/)
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== "" && !line.startsWith("#"));
  const [head, ...rest] = rows;
  if (head === undefined) throw new TraceError("the trace is empty");
  const isHead = Number.isNaN(timeMs(head.line.split(",")[0] ?? ""));
  const found = (isHead ? rest : rows).map(({ line, number }) => parseRow(line, number));
  for (const [index, { atMs, number }] of found.entries()) {
    if (atMs < (found[index - 1]?.atMs ?? atMs))
      throw new TraceError(`line ${number}: earlier than the line before`);
  }
  const [first] = found;
  if (first === undefined) throw new TraceError("the trace has no requests");
  return first.count === undefined ? listed(found, first.atMs) : counted(found, first.atMs);
}

interface Row {
  readonly atMs: number;
  readonly count: number | undefined;
  readonly number: number;
}

function parseRow(line: string, number: number): Row {
  const [time = "", count, ...more] = line.split(",").map((cell) => cell.trim());
  const atMs = timeMs(time);
  if (Number.isNaN(atMs) || more.length > 0)
    throw new TraceError(`line ${number}: expected time,count or time: ${line}`);
  if (count === undefined) return { atMs, count, number };
  if (!/^\d+$/.test(count))
    throw new TraceError(`line ${number}: ${JSON.stringify(count)} is no count of requests`);
  return { atMs, count: Number(count), number };
}

function timeMs(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text);
}

function listed(rows: readonly Row[], originMs: number): Trace {
  const last = rows.at(-1)?.atMs ?? originMs;
  return {
    durationMs: last - originMs,
    count: rows.length,
    arrivals: () => rows.map(({ atMs }) => atMs - originMs),
  };
}

function counted(rows: readonly Row[], originMs: number): Trace {
  const lengths = rows.map(({ atMs }, index) => (rows[index + 1]?.atMs ?? Number.NaN) - atMs);
  // The last line has no next one: it is as long as the one before, or a minute.
  const lastMs = lengths.at(-2) ?? 60_000;
  const buckets = rows.map(({ atMs, count = 0, number }, index): Bucket => {
    const lengthMs = index === rows.length - 1 ? lastMs : (lengths[index] ?? 0);
    if (lengthMs <= 0) throw new TraceError(`line ${number}: the time of the next line is the same`);
    return { atMs: atMs - originMs, lengthMs, count };
  });
  return {
    durationMs: buckets.reduce((sum, { lengthMs }) => sum + lengthMs, 0),
    count: buckets.reduce((sum, { count }) => sum + count, 0),
    arrivals: (chance) => spread(buckets, chance),
  };
}

/** Anywhere within their line's time, as independent clients come. */
function* spread(buckets: readonly Bucket[], chance: () => number): Arrivals {
  for (const { atMs, lengthMs, count } of buckets) {
    const within = Float64Array.from({ length: count }, () => chance() * lengthMs).sort();
    for (const offset of within) yield atMs + offset;
  }
}
