import type { Session } from "node:inspector/promises";
import { type Clock, PlainServer, pathNotFound, plainText } from "@rouse/shared";

const HEADERS_TIMEOUT_MS = 15_000;
const SECONDS_DEFAULT = 30;
const SECONDS_MAX = 120;
const INDEX = `/debug/pprof/

profile?seconds=30  CPU profile, .cpuprofile
heap?seconds=30     sampled allocations, .heapprofile
`;

/**
 * Profiles of the running process, in V8's formats, which Chrome's and VS Code's tools open; Go's format has nothing to
 * say about a Node process. One at a time.
 */
export function startProfiling(clock: Clock, at: { readonly ip: string | undefined; readonly port: number }) {
  let isBusy = false;
  return PlainServer.start({ ...at, headersTimeoutMs: HEADERS_TIMEOUT_MS }, (path, { url = "" }) => {
    if (path === "/debug/pprof/" || path === "/debug/pprof") return plainText(200, INDEX);
    if (path !== "/debug/pprof/profile" && path !== "/debug/pprof/heap") return pathNotFound;
    if (isBusy) return plainText(409, "a profile is being taken\n");
    const asked = Number(new URL(url, "http://x").searchParams.get("seconds") ?? SECONDS_DEFAULT);
    const seconds = Number.isFinite(asked) ? Math.min(Math.max(asked, 0), SECONDS_MAX) : SECONDS_DEFAULT;
    isBusy = true;
    return profile(path === "/debug/pprof/heap" ? "heap" : "cpu", clock, seconds * 1_000)
      .then((text) => ({ status: 200, headers: { "Content-Type": "application/json" }, body: text }))
      .catch((error: unknown) => plainText(500, `${String(error)}\n`))
      .finally(() => {
        isBusy = false;
      });
  });
}

async function profile(kind: "cpu" | "heap", clock: Clock, durationMs: number): Promise<string> {
  const inspector = await import("node:inspector/promises");
  const session = new inspector.Session();
  session.connect();
  try {
    return JSON.stringify(
      await (kind === "cpu" ? cpu(session, clock, durationMs) : heap(session, clock, durationMs)),
    );
  } finally {
    session.disconnect();
  }
}

async function cpu(session: Session, clock: Clock, durationMs: number): Promise<unknown> {
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
  await passed(clock, durationMs);
  return (await session.post("Profiler.stop")).profile;
}

async function heap(session: Session, clock: Clock, durationMs: number): Promise<unknown> {
  await session.post("HeapProfiler.startSampling");
  await passed(clock, durationMs);
  return (await session.post("HeapProfiler.stopSampling")).profile;
}

function passed(clock: Clock, durationMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(durationMs, resolve));
}
