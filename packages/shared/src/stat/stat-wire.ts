import { revisionKey } from "../revision.ts";
import type { Stat, StatMessage } from "./stat.ts";

/** What a queue-proxy answers a scrape with, and the only type a scraper takes. S-43. */
export const STAT_CONTENT_TYPE = "application/protobuf";

const I64 = 1;
const BYTES = 2;
/** The doubles of a `Stat` by field number. S-27 */
const doubles = [
  [2, "averageConcurrentRequests"],
  [3, "averageProxiedConcurrentRequests"],
  [4, "requestCount"],
  [5, "proxiedRequestCount"],
  [6, "processUptime"],
] as const satisfies readonly (readonly [number, keyof Stat])[];
const POD_NAME = 1;
const TIMESTAMP = 7;

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8 = new TextEncoder();

/** One `Stat` as proto3: fields in order, zero and blank ones left out. Source: S-27, A-91. */
export function encodeStat(stat: Stat): Uint8Array {
  return Uint8Array.from(statBytes(stat));
}

/** One `WireStatMessages` with all of the batch. S-27 */
export function encodeStatMessages(batch: readonly StatMessage[]): Uint8Array {
  const out: number[] = [];
  for (const { revision, stat } of batch) {
    const slash = revision.indexOf("/");
    const message: number[] = [];
    putBytes(message, 1, utf8.encode(revision.slice(0, slash)));
    putBytes(message, 2, utf8.encode(revision.slice(slash + 1)));
    putMessage(message, 3, statBytes(stat));
    putMessage(out, 1, message);
  }
  return Uint8Array.from(out);
}

/** `undefined` if the bytes are no `Stat`. Fields it does not know are skipped. */
export function decodeStat(bytes: Uint8Array): Stat | undefined {
  return parsed(() => readStat(bytes));
}

/** `undefined` if the bytes are no `WireStatMessages`. Entries without a stat are left out. S-35 */
export function decodeStatMessages(bytes: Uint8Array): readonly StatMessage[] | undefined {
  return parsed(() => {
    const batch: StatMessage[] = [];
    for (const field of fields(bytes)) {
      if (field.number !== 1 || field.type !== BYTES) continue;
      const message = readMessage(field.bytes);
      if (message !== undefined) batch.push(message);
    }
    return batch;
  });
}

function statBytes(stat: Stat): number[] {
  const out: number[] = [];
  putBytes(out, POD_NAME, utf8.encode(stat.podName));
  for (const [number, name] of doubles) putDouble(out, number, stat[name]);
  if (stat.timestamp !== 0) {
    out.push(TIMESTAMP << 3);
    putVarint(out, BigInt.asUintN(64, BigInt(Math.trunc(stat.timestamp))));
  }
  return out;
}

function putVarint(out: number[], value: bigint): void {
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
}

function putDouble(out: number[], number: number, value: number): void {
  if (Object.is(value, 0)) return; // minus zero is no zero: proto3 writes it
  out.push((number << 3) | I64, ...new Uint8Array(littleEndian(value)));
}

function littleEndian(value: number): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value, true);
  return view.buffer;
}

function putBytes(out: number[], number: number, bytes: Uint8Array): void {
  if (bytes.length > 0) putMessage(out, number, bytes);
}

/** A message that is there is written even when it is empty; a blank string is not. */
function putMessage(out: number[], number: number, bytes: ArrayLike<number>): void {
  out.push((number << 3) | BYTES);
  putVarint(out, BigInt(bytes.length));
  for (let at = 0; at < bytes.length; at++) out.push(bytes[at] ?? 0);
}

interface Field {
  readonly number: number;
  readonly type: number;
  /** A varint's value; else 0. */
  readonly value: bigint;
  /** What a double or a length-delimited field holds; else empty. */
  readonly bytes: Uint8Array;
}

class Malformed extends Error {}

function parsed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return text.decode(bytes);
  } catch {
    throw new Malformed("a text that is not UTF-8");
  }
}

function* fields(bytes: Uint8Array): Generator<Field> {
  const none = bytes.subarray(0, 0);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Malformed("ends within a number");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Malformed("number of more than ten bytes");
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new Malformed("ends within a field");
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (number === 0 || tag > 0xffff_ffff) throw new Malformed("no such field number");
    if (type === 0) yield { number, type, value: varint(), bytes: none };
    else if (type === I64) yield { number, type, value: 0n, bytes: take(8) };
    else if (type === BYTES) yield { number, type, value: 0n, bytes: take(Number(varint())) };
    else if (type === 5) yield { number, type, value: 0n, bytes: take(4) };
    else throw new Malformed("groups are not taken");
  }
}

function readMessage(bytes: Uint8Array): StatMessage | undefined {
  let [namespace, name] = ["", ""];
  let stat: Stat | undefined;
  for (const { number, type, bytes: value } of fields(bytes)) {
    if (type !== BYTES) continue;
    if (number === 1) namespace = textOf(value);
    else if (number === 2) name = textOf(value);
    else if (number === 3) stat = { ...(stat ?? emptyStat), ...presentIn(value) };
  }
  return stat === undefined ? undefined : { revision: revisionKey({ namespace, name }), stat };
}

const emptyStat: Stat = {
  podName: "",
  averageConcurrentRequests: 0,
  averageProxiedConcurrentRequests: 0,
  requestCount: 0,
  proxiedRequestCount: 0,
  processUptime: 0,
  timestamp: 0,
};

function readStat(bytes: Uint8Array): Stat {
  return { ...emptyStat, ...presentIn(bytes) };
}

function presentIn(bytes: Uint8Array): Partial<Stat> {
  const present: { -readonly [K in keyof Stat]?: Stat[K] } = {};
  for (const { number, type, value, bytes: held } of fields(bytes)) {
    if (number === POD_NAME && type === BYTES) present.podName = textOf(held);
    else if (number === TIMESTAMP && type === 0) present.timestamp = Number(BigInt.asIntN(64, value));
    else if (type === I64) {
      const name = doubles.find(([of]) => of === number)?.[1];
      if (name !== undefined) present[name] = new DataView(held.buffer, held.byteOffset).getFloat64(0, true);
    }
  }
  return present;
}
