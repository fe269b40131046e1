import { create, createFileRegistry, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { revisionKey } from "../revision.ts";
import type { Stat, StatMessage } from "./stat.ts";
import { decodeStat, decodeStatMessages, encodeStat, encodeStatMessages } from "./stat-wire.ts";

const { statSchema, messagesSchema } = oracle();
const none: Stat = {
  podName: "",
  averageConcurrentRequests: 0,
  averageProxiedConcurrentRequests: 0,
  requestCount: 0,
  proxiedRequestCount: 0,
  processUptime: 0,
  timestamp: 0,
};
const double = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0, -0, 1, Infinity));
const stats: fc.Arbitrary<Stat> = fc.record({
  podName: fc.string({ unit: "grapheme", maxLength: 300 }),
  averageConcurrentRequests: double,
  averageProxiedConcurrentRequests: double,
  requestCount: double,
  proxiedRequestCount: double,
  processUptime: double,
  timestamp: fc.oneof(fc.maxSafeInteger(), fc.constant(0)),
});
const name = fc.string({ unit: "grapheme", maxLength: 70 }).map((text) => text.replaceAll("/", "-"));
const batches: fc.Arbitrary<StatMessage[]> = fc.array(
  fc.record({ revision: fc.record({ namespace: name, name }).map(revisionKey), stat: stats }),
  { maxLength: 8 },
);

test("the vector of A-91 comes out byte for byte, and is read back", () => {
  const message = {
    revision: revisionKey({ namespace: "test", name: "rev1" }),
    stat: { ...none, podName: "act", averageConcurrentRequests: 1, requestCount: 1 },
  };
  const bytes = encodeStatMessages([message]);
  expect(Buffer.from(bytes).toString("hex")).toBe(
    "0a250a04746573741204726576311a170a0361637411000000000000f03f21000000000000f03f",
  );
  expect(bytes).toHaveLength(39);
  expect(decodeStatMessages(bytes)).toEqual([message]);
});

describe("S-27: beside an independent implementation of proto3", () => {
  test("a stat has the same bytes, and the same meaning back", () => {
    fc.assert(
      fc.property(stats, (stat) => {
        const bytes = encodeStat(stat);
        expect(bytes).toEqual(toBinary(statSchema, create(statSchema, asOracle(stat))));
        expect(decodeStat(bytes)).toEqual(stat);
      }),
    );
  });

  test("a batch has the same bytes, and the same meaning back", () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const messages = batch.map(({ revision, stat }) => {
          const [namespace = "", of = ""] = revision.split("/");
          return { namespace, name: of, stat: asOracle(stat) };
        });
        const bytes = encodeStatMessages(batch);
        expect(bytes).toEqual(toBinary(messagesSchema, create(messagesSchema, { messages })));
        expect(decodeStatMessages(bytes)).toEqual(batch);
      }),
    );
  });

  test("of a batch cut anywhere as much is taken", () => {
    fc.assert(
      fc.property(batches, fc.nat(), (batch, cut) => {
        const whole = encodeStatMessages(batch);
        const bytes = whole.subarray(0, cut % (whole.length + 1));
        expect(decodeStatMessages(bytes) !== undefined).toBe(isReadByOracle(bytes));
      }),
    );
  });
});

test("whatever the bytes, reading them ends with an answer", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      decodeStatMessages(bytes);
      decodeStat(bytes);
    }),
    { numRuns: 2_000 },
  );
});

test("S-35: an entry without a stat is left out, the others count", () => {
  const whole = encodeStatMessages([
    { revision: revisionKey({ namespace: "a", name: "b" }), stat: { ...none, requestCount: 2 } },
  ]);
  const bytes = Buffer.concat([Buffer.from("0a060a0161120162", "hex"), whole]);
  expect(decodeStatMessages(bytes)?.map(({ stat }) => stat.requestCount)).toEqual([2]);
});

test("fields it does not know are skipped", () => {
  const bytes = Buffer.concat([
    Buffer.from("78016201ff8d0100000000", "hex"),
    encodeStat({ ...none, podName: "p" }),
  ]);
  expect(decodeStat(bytes)).toEqual({ ...none, podName: "p" });
});

/** A release before and one after ours: fields that were not there yet, fields nobody knows yet. */
describe("S-27, S-38: autoscalers and activators of neighbouring releases", () => {
  const ours: StatMessage = {
    revision: revisionKey({ namespace: "test", name: "rev1" }),
    stat: {
      ...none,
      podName: "act",
      averageConcurrentRequests: 2,
      requestCount: 3,
      processUptime: 9,
      timestamp: 7,
    },
  };
  const five = [
    "pod_name",
    "average_concurrent_requests",
    "average_proxied_concurrent_requests",
    "request_count",
  ];

  test("what one of before sends has the rest at zero, so that whoever receives it stamps it", () => {
    const before = oracle([...five, "proxied_request_count"]);
    const stat = { podName: "act", averageConcurrentRequests: 2, requestCount: 3 };
    const bytes = toBinary(
      before.messagesSchema,
      create(before.messagesSchema, { messages: [{ namespace: "test", name: "rev1", stat }] }),
    );
    expect(decodeStatMessages(bytes)).toEqual([
      { ...ours, stat: { ...ours.stat, processUptime: 0, timestamp: 0 } },
    ]);
  });

  test("what we send is read by one of before, without what it does not know", () => {
    const before = oracle([...five, "proxied_request_count"]);
    expect(fromBinary(before.messagesSchema, encodeStatMessages([ours]))).toMatchObject({
      messages: [{ namespace: "test", name: "rev1", stat: { podName: "act", averageConcurrentRequests: 2 } }],
    });
  });

  test("what one of after sends is read without what we do not know, wherever that stands", () => {
    const unknown = Buffer.from("4a03616263" + "5001" + "590000000000000040", "hex"); // fields 9, 10 and 11
    const stat = Buffer.concat([unknown, encodeStat(ours.stat), unknown]);
    const entry = Buffer.concat([
      Buffer.from("0a0474657374120472657631", "hex"),
      unknown,
      Buffer.from([0x1a, stat.length]),
      stat,
    ]);
    const bytes = Buffer.concat([unknown, Buffer.from([0x0a, entry.length]), entry]);
    expect(decodeStatMessages(bytes)).toEqual([ours]);
  });
});

test.each([
  ["a text", "hello"],
  ["a length beyond the end", "\x0a\x25\x0a"],
  ["field number zero", "\x00\x00"],
  ["a group", "\x0b\x0c"],
  ["a name that is not UTF-8", "\x0a\x03\x0a\x01\xff"],
])("%s is no batch", (_, bytes) => {
  expect(decodeStatMessages(Buffer.from(bytes, "latin1"))).toBeUndefined();
});

function asOracle(stat: Stat): Record<string, unknown> {
  return { ...stat, timestamp: BigInt(stat.timestamp) };
}

function isReadByOracle(bytes: Uint8Array): boolean {
  try {
    fromBinary(messagesSchema, bytes);
    return true;
  } catch {
    return false;
  }
}

/** The messages of S-27, as a program of another author writes and reads them; of a Stat only `known` if given. */
function oracle(known?: readonly string[]): {
  readonly statSchema: DescMessage;
  readonly messagesSchema: DescMessage;
} {
  const field = (number: number, of: string, type: Type, typeName = "") => ({
    name: of,
    number,
    type,
    label: of === "messages" ? Label.REPEATED : Label.OPTIONAL,
    ...(typeName === "" ? {} : { typeName }),
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "stat.proto",
    syntax: "proto3",
    messageType: [
      {
        name: "Stat",
        field: [
          field(1, "pod_name", Type.STRING),
          field(2, "average_concurrent_requests", Type.DOUBLE),
          field(3, "average_proxied_concurrent_requests", Type.DOUBLE),
          field(4, "request_count", Type.DOUBLE),
          field(5, "proxied_request_count", Type.DOUBLE),
          field(6, "process_uptime", Type.DOUBLE),
          field(7, "timestamp", Type.INT64),
        ].filter((each) => known?.includes(each.name) !== false),
      },
      {
        name: "WireStatMessage",
        field: [
          field(1, "namespace", Type.STRING),
          field(2, "name", Type.STRING),
          field(3, "stat", Type.MESSAGE, ".Stat"),
        ],
      },
      { name: "WireStatMessages", field: [field(1, "messages", Type.MESSAGE, ".WireStatMessage")] },
    ],
  });
  const registry = createFileRegistry(file, () => undefined);
  const statSchema = registry.getMessage("Stat");
  const messagesSchema = registry.getMessage("WireStatMessages");
  if (statSchema === undefined || messagesSchema === undefined) throw new Error("the schema does not hold");
  return { statSchema, messagesSchema };
}
