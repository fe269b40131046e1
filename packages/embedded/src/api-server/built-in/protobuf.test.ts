import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { messageType } from "./message-types.ts";
import { messages } from "./messages.ts";
import { decodeMessage, ProtobufError, readEnvelope } from "./protobuf.ts";

const varint = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)];
const bytes = (number: number, content: readonly number[]): number[] => [
  ...varint((number << 3) | 2),
  ...varint(content.length),
  ...content,
];
const number = (field: number, value: number): number[] => [...varint(field << 3), ...varint(value)];
const text = (field: number, value: string): number[] => bytes(field, [...Buffer.from(value)]);
const envelope = (kind: string, raw: readonly number[]): Buffer =>
  Buffer.from([0x6b, 0x38, 0x73, 0, ...bytes(1, [...text(1, "v1"), ...text(2, kind)]), ...bytes(2, raw)]);

test("every message the table names is there, and no number is used twice in one", () => {
  for (const name of Object.keys(messages)) {
    const numbers = messageType(name).fields.flatMap((field) => (field.number === 0 ? [] : [field.number]));
    expect(new Set(numbers).size, name).toBe(numbers.length);
    for (const { type } of messageType(name).fields) if (type.kind === "message") messageType(type.message);
  }
});

describe("protobuf bodies (P-130)", () => {
  test("an envelope says what it holds", () => {
    const { apiVersion, kind, raw } = readEnvelope(envelope("ConfigMap", text(9, "x")));
    expect({ apiVersion, kind, raw: [...raw] }).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      raw: text(9, "x"),
    });
  });

  test("maps, lists, numbers, flags and what is skipped", () => {
    const metadata = bytes(1, [
      ...text(1, "a"),
      ...bytes(11, [...text(1, "k"), ...text(2, "v")]),
      ...text(14, "f/1"),
      ...text(14, "f/2"),
    ]);
    const raw = [
      ...metadata,
      ...bytes(2, [...text(1, "x"), ...text(2, "1")]),
      ...number(4, 1),
      ...text(99, "later"),
    ];
    expect(decodeMessage("ConfigMap", Buffer.from(raw))).toEqual({
      metadata: { name: "a", labels: { k: "v" }, finalizers: ["f/1", "f/2"] },
      data: { x: "1" },
      immutable: true,
    });
  });

  test("times, quantities, numbers or texts, and members that are the parent's", () => {
    const lease = bytes(2, [
      ...number(2, 15),
      ...bytes(4, [...number(1, 1_577_836_800), ...number(2, 500_000_000)]),
    ]);
    expect(decodeMessage("Lease", Buffer.from(lease))).toEqual({
      spec: { leaseDurationSeconds: 15, renewTime: "2020-01-01T00:00:00.500000Z" },
    });
    const limits = bytes(1, [...text(1, "cpu"), ...bytes(2, text(1, "500m"))]);
    expect(decodeMessage("ResourceRequirements", Buffer.from(limits))).toEqual({ limits: { cpu: "500m" } });
    const port = (content: readonly number[]): Buffer => Buffer.from(bytes(1, bytes(2, bytes(2, content))));
    expect(decodeMessage("Probe", port([...number(1, 1), ...text(3, "http")]))).toEqual({
      httpGet: { port: "http" },
    });
    expect(decodeMessage("Probe", port([...number(1, 0), ...number(2, 8080)]))).toEqual({
      httpGet: { port: 8080 },
    });
  });

  test("any bytes at all are an object or refused, never anything else (P-146)", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom(...Object.keys(messages)),
        (random, name) => {
          try {
            expect(typeof decodeMessage(name, Buffer.from(random))).toBe("object");
          } catch (error) {
            expect(error).toBeInstanceOf(ProtobufError);
          }
        },
      ),
      { numRuns: 2_000, seed: 1 },
    );
  });
});
