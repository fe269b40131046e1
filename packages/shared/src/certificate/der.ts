import { rfc3339, type WallMs } from "../clock/clock.ts";

/** The little of ASN.1's distinguished encoding (X.690) that a certificate is made of; every function gives one value. */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** `UTCTime` counts years in two digits, and only up to here. RFC 5280 §4.1.2.5 */
const UTC_YEAR_MAX = 2049;

export const sequence = (...parts: readonly Buffer[]): Buffer => value(TAG.sequence, ...parts);
export const set = (...parts: readonly Buffer[]): Buffer => value(TAG.set, ...parts);
export const octets = (bytes: Buffer): Buffer => value(TAG.octetString, bytes);
export const text = (of: string): Buffer => value(TAG.utf8String, Buffer.from(of));
export const yes = (): Buffer => value(TAG.boolean, Buffer.from([0xff]));

/** Big-endian and unsigned; a leading one bit gets a zero byte before it, or it would be a sign. */
export function integer(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const magnitude = bytes.subarray(start);
  return value(
    TAG.integer,
    (magnitude[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), magnitude]) : magnitude,
  );
}

/** `unused`: bits at the end of the last byte that mean nothing. */
export function bits(bytes: Buffer, unused = 0): Buffer {
  return value(TAG.bitString, Buffer.from([unused]), bytes);
}

/** From its dotted form, as `2.5.29.17`. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return value(TAG.objectId, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

export function time(at: WallMs): Buffer {
  const digits = rfc3339(at).replaceAll(/[-:T]/g, "");
  return Number(digits.slice(0, 4)) > UTC_YEAR_MAX
    ? value(TAG.generalizedTime, Buffer.from(digits))
    : value(TAG.utcTime, Buffer.from(digits.slice(2)));
}

/** A value with a tag of its context: constructed around others, or with `primitive` around bytes. */
export function tagged(number: number, of: Buffer, form: "constructed" | "primitive"): Buffer {
  return value((form === "constructed" ? 0xa0 : 0x80) | number, of);
}

function value(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

/** Seven bits per byte, the high bit set on all but the last. */
function base128(number: number): readonly number[] {
  const bytes = [number & 0x7f];
  for (let rest = number >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}
