import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Result, result } from "../benchmark.ts";
import { quantile, spread } from "../quantile.ts";
import type { PinnedProcess } from "./process.ts";

const MEBIBYTE = 1_048_576;
const GIBIBYTE = 1_024 * MEBIBYTE;
const PIECE = Buffer.alloc(65_536, "x");
/** Memory is looked at this often while bytes flow. */
const LOOK_MS = 20;
const WARM_UP_MEBIBYTES = 64;

export type Direction = "answer" | "request";

/** One large body through one hop. */
export interface LargeBody {
  readonly mebibytesPerSecond: number;
  readonly cpuMsPerGibibyte: number;
  /** The most it had at any time, beyond what it had before. */
  readonly growthMib: number;
}

/** Moves one body of `mebibytes` through the hop. */
export async function moveLargeBody(
  hopped: PinnedProcess,
  what: { readonly port: number; readonly direction: Direction; readonly mebibytes: number },
): Promise<LargeBody> {
  const move = what.direction === "answer" ? receive : send;
  await move(what.port, WARM_UP_MEBIBYTES * MEBIBYTE);
  const beforeKib = hopped.anonymousKib();
  const beforeUs = hopped.cpuUs();
  let mostKib = beforeKib;
  const looking = new AbortController();
  const look = async (): Promise<void> => {
    while (!looking.signal.aborted) {
      mostKib = Math.max(mostKib, hopped.anonymousKib());
      await sleep(LOOK_MS);
    }
  };
  const looked = look();
  const startedMs = performance.now();
  const bytes = what.mebibytes * MEBIBYTE;
  await move(what.port, bytes);
  const seconds = (performance.now() - startedMs) / 1_000;
  looking.abort();
  await looked;
  return {
    mebibytesPerSecond: what.mebibytes / seconds,
    cpuMsPerGibibyte: ((hopped.cpuUs() - beforeUs) / 1_000) * (GIBIBYTE / bytes),
    growthMib: (mostKib - beforeKib) / 1_024,
  };
}

/** One hop's figures, beside those of the bare pipe. */
export function largeBodyResults(
  name: string,
  taken: readonly LargeBody[],
  floor: readonly LargeBody[],
): readonly Result[] {
  const of = (from: readonly LargeBody[], figure: keyof LargeBody): number[] =>
    from.map((body) => body[figure]);
  const median = (from: readonly LargeBody[], figure: keyof LargeBody): number =>
    quantile(of(from, figure), 0.5);
  return [
    result(`${name}: throughput`, "MiB/s", median(taken, "mebibytesPerSecond"), {
      spread: spread(of(taken, "mebibytesPerSecond")),
      baseline: median(floor, "mebibytesPerSecond"),
    }),
    result(`${name}: processor time`, "ms/GiB", median(taken, "cpuMsPerGibibyte"), {
      spread: spread(of(taken, "cpuMsPerGibibyte")),
      baseline: median(floor, "cpuMsPerGibibyte"),
    }),
    result(`${name}: memory growth`, "MiB", median(taken, "growthMib"), {
      spread: spread(of(taken, "growthMib")),
    }),
  ];
}

/** Reads one large answer to its end. */
function receive(port: number, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let received = 0;
    socket.on("data", (read) => {
      received += read.length;
      if (received < bytes) return;
      resolve();
      socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`${received} of ${bytes} bytes came`)));
    socket.write(`GET /big/${bytes / MEBIBYTE} HTTP/1.1\r\nHost: a\r\n\r\n`);
  });
}

/** Sends one large request; over when its answer is there. */
function send(port: number, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let left = bytes;
    const write = (): void => {
      while (left > 0) {
        left -= PIECE.length;
        if (!socket.write(PIECE)) return;
      }
    };
    socket.on("drain", write);
    socket.on("data", () => {
      if (left > 0) return;
      resolve();
      socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed with ${left} of ${bytes} bytes to send`)));
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
    write();
  });
}
