import { rfc3339, type WallMs } from "@rouse/shared";
import {
  type Field,
  hasMessage,
  type MessageType,
  messageType,
  type ScalarName,
  type ValueType,
} from "./message-types.ts";

/** Bytes that are no protobuf message of the kind. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
}

/** `k8s` and a zero: what the reference puts before every object. P-130 */
const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
/** Deeper than any object of the API. */
const DEPTH_MAX = 64;

/** What the envelope says and holds. */
export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Buffer;
}

/** @throws ProtobufError */
export function readEnvelope(bytes: Buffer): Envelope {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new ProtobufError("provided data does not appear to be a protobuf message");
  let raw: Buffer = Buffer.alloc(0);
  const type = { apiVersion: "", kind: "" };
  for (const { number, bytes: value } of wireFields(bytes.subarray(MAGIC.length))) {
    if (value === undefined) continue;
    if (number === 2) raw = value;
    if (number !== 1) continue;
    for (const inner of wireFields(value)) {
      if (inner.number === 1) type.apiVersion = inner.bytes?.toString("utf8") ?? "";
      if (inner.number === 2) type.kind = inner.bytes?.toString("utf8") ?? "";
    }
  }
  return { ...type, raw };
}

/** A message as the JSON object it stands for; members nobody knows are skipped. @throws ProtobufError */
export function decodeMessage(name: string, bytes: Buffer): Record<string, unknown> {
  if (!hasMessage(name)) throw new ProtobufError(`no kind ${name} is known in protobuf`);
  return message(messageType(name), bytes, 0);
}

function message(type: MessageType, bytes: Buffer, depth: number): Record<string, unknown> {
  if (depth > DEPTH_MAX) throw new ProtobufError("nested too deeply");
  const result: Record<string, unknown> = {};
  for (const wire of wireFields(bytes)) {
    const field = type.byNumber.get(wire.number);
    if (field === undefined || field.number === 0) continue;
    put(result, field, wire, depth);
  }
  return result;
}

function put(result: Record<string, unknown>, field: Field, wire: WireField, depth: number): void {
  const { name, type, presence } = field;
  if (type.kind === "list") {
    const list = result[name];
    const items = Array.isArray(list) ? list : [];
    result[name] = [...items, ...listItems(type.of, wire, depth)];
    return;
  }
  if (type.kind === "map") {
    const [key, value] = entry(type.of, wire, depth);
    const before = result[name];
    const map = typeof before === "object" ? before : {};
    result[name] = { ...map, [key]: value };
    return;
  }
  const value = decode(type, wire, depth);
  if (presence === "inline" && typeof value === "object") Object.assign(result, value);
  else if (value !== undefined) result[name] = value;
}

/** Numbers may come packed. */
function listItems(of: ValueType, wire: WireField, depth: number): readonly unknown[] {
  if (of.kind === "scalar" && (of.scalar === "i" || of.scalar === "b") && wire.bytes !== undefined) {
    const items: unknown[] = [];
    for (let at = 0; at < wire.bytes.length; ) {
      const { value, end } = varint(wire.bytes, at);
      items.push(of.scalar === "b" ? value !== 0n : Number(BigInt.asIntN(64, value)));
      at = end;
    }
    return items;
  }
  return [decode(of, wire, depth)];
}

function entry(of: ValueType, wire: WireField, depth: number): readonly [string, unknown] {
  let key = "";
  let value: unknown = of.kind === "message" ? {} : "";
  for (const inner of wireFields(bytesOf(wire))) {
    if (inner.number === 1) key = bytesOf(inner).toString("utf8");
    if (inner.number === 2) value = decode(of, inner, depth);
  }
  return [key, value];
}

function decode(type: ValueType, wire: WireField, depth: number): unknown {
  if (type.kind === "message") return message(messageType(type.message), bytesOf(wire), depth + 1);
  return type.kind === "scalar" ? scalar(type.scalar, wire) : undefined;
}

function scalar(name: ScalarName, wire: WireField): unknown {
  switch (name) {
    case "s":
      return bytesOf(wire).toString("utf8");
    case "y":
      return bytesOf(wire).toString("base64");
    case "i":
      return Number(BigInt.asIntN(64, numberOf(wire)));
    case "b":
      return numberOf(wire) !== 0n;
    case "q":
      return textMember(bytesOf(wire), 1);
    case "t":
    case "u":
      return time(bytesOf(wire), name === "u");
    case "p": {
      const fields = [...wireFields(bytesOf(wire))];
      const isText = fields.some(({ number, varint: value }) => number === 1 && value === 1n);
      if (isText) return textMember(bytesOf(wire), 3);
      return Number(BigInt.asIntN(64, fields.find(({ number }) => number === 2)?.varint ?? 0n));
    }
  }
}

function textMember(bytes: Buffer, wanted: number): string {
  let text = "";
  for (const { number, bytes: value } of wireFields(bytes))
    if (number === wanted) text = value?.toString("utf8") ?? "";
  return text;
}

/** `null` for the zero time, which is how an absent one is sent. */
function time(bytes: Buffer, isMicro: boolean): string | null {
  let seconds = 0n;
  let nanos = 0n;
  for (const { number, varint: value } of wireFields(bytes)) {
    if (number === 1) seconds = BigInt.asIntN(64, value ?? 0n);
    if (number === 2) nanos = BigInt.asIntN(64, value ?? 0n);
  }
  const at = Number(seconds) * 1_000;
  if (bytes.length === 0 || Math.abs(at) > 8.64e15 || at < -6.2e13) return null;
  const text = rfc3339(at as WallMs);
  return isMicro ? text.replace("Z", `.${String(nanos / 1_000n).padStart(6, "0")}Z`) : text;
}

interface WireField {
  readonly number: number;
  readonly varint: bigint | undefined;
  readonly bytes: Buffer | undefined;
}

function bytesOf({ bytes }: WireField): Buffer {
  if (bytes === undefined) throw new ProtobufError("a number where bytes belong");
  return bytes;
}

function numberOf({ varint: value }: WireField): bigint {
  if (value === undefined) throw new ProtobufError("bytes where a number belongs");
  return value;
}

function* wireFields(bytes: Buffer): Generator<WireField> {
  for (let at = 0; at < bytes.length; ) {
    const tag = varint(bytes, at);
    const number = Number(tag.value >> 3n);
    switch (Number(tag.value & 7n)) {
      case 0: {
        const { value, end } = varint(bytes, tag.end);
        yield { number, varint: value, bytes: undefined };
        at = end;
        break;
      }
      case 1:
        at = skipTo(bytes, tag.end + 8);
        break;
      case 2: {
        const { value, end } = varint(bytes, tag.end);
        const last = skipTo(bytes, end + Number(value));
        yield { number, varint: undefined, bytes: bytes.subarray(end, last) };
        at = last;
        break;
      }
      case 5:
        at = skipTo(bytes, tag.end + 4);
        break;
      default:
        throw new ProtobufError("an unknown wire type");
    }
  }
}

function skipTo(bytes: Buffer, end: number): number {
  if (end > bytes.length) throw new ProtobufError("unexpected end");
  return end;
}

function varint(bytes: Buffer, from: number): { readonly value: bigint; readonly end: number } {
  let value = 0n;
  for (let at = from; at < from + 10; at++) {
    const byte = bytes[at];
    if (byte === undefined) throw new ProtobufError("unexpected end");
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - from));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  throw new ProtobufError("a number that is too long");
}
