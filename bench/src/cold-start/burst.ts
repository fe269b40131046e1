import autocannon from "autocannon";

export interface Burst {
  readonly sent: number;
  readonly ok: number;
  readonly latenciesMs: readonly number[];
  /** Answers by when they came: latency over time. */
  readonly overTime: readonly {
    readonly fromMs: number;
    readonly answers: number;
    readonly worstMs: number;
  }[];
}

const SLICE_MS = 500;

/** So many connections at once, which together send so many requests, and what became of them. */
export async function burst(
  port: number,
  host: string,
  load: { readonly connections: number; readonly requests: number },
): Promise<Burst> {
  const answers: { readonly atMs: number; readonly latencyMs: number; readonly status: number }[] = [];
  const startedAt = performance.now();
  const done = Promise.withResolvers<void>();
  const options = {
    url: `http://127.0.0.1:${port}/`,
    headers: { host },
    connections: load.connections,
    amount: load.requests,
    timeout: 60,
  };
  const run = autocannon(options, (error: unknown) => {
    if (error) done.reject(error);
    else done.resolve();
  });
  run.on("response", (_client, status, _bytes, latencyMs) => {
    answers.push({ atMs: performance.now() - startedAt, latencyMs, status });
  });
  await done.promise;
  return {
    sent: load.requests,
    ok: answers.filter(({ status }) => status === 200).length,
    latenciesMs: answers.map(({ latencyMs }) => latencyMs),
    overTime: slices(answers),
  };
}

function slices(
  answers: readonly { readonly atMs: number; readonly latencyMs: number }[],
): Burst["overTime"] {
  const bySlice = Map.groupBy(answers, ({ atMs }) => Math.floor(atMs / SLICE_MS));
  return [...bySlice]
    .sort(([a], [b]) => a - b)
    .map(([slice, inSlice]) => ({
      fromMs: slice * SLICE_MS,
      answers: inSlice.length,
      worstMs: Math.max(...inSlice.map(({ latencyMs }) => latencyMs)),
    }));
}
