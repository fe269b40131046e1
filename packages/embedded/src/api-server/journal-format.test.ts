import type { JournalRecord } from "@rouse/shared";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeJournal, encodeRecord, JOURNAL_HEADER } from "./journal-format.ts";

const record = fc.record({
  type: fc.constant("delete" as const),
  apiVersion: fc.string(),
  kind: fc.string({ unit: "grapheme" }),
  namespace: fc.string(),
  name: fc.string({ unit: "binary" }),
  resourceVersion: fc.nat().map(String),
});

const encoded = (records: readonly JournalRecord[]) =>
  Buffer.from(JOURNAL_HEADER + records.map(encodeRecord).join(""));

describe("the journal's format", () => {
  test("gives back what was written", () => {
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const bytes = encoded(records);
        expect(decodeJournal(bytes)).toEqual({ kind: "journal", records, wholeBytes: bytes.length });
      }),
    );
  });

  test("cut off anywhere, gives back every record before the cut and no other", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 5 }), fc.nat(), (records, cut) => {
        const bytes = encoded(records);
        const length = cut % (bytes.length + 1);
        const whole = records.filter((_, index) => encoded(records.slice(0, index + 1)).length <= length);
        const decoded = decodeJournal(bytes.subarray(0, length));
        expect(decoded).toMatchObject({ kind: "journal", records: whole });
        if (decoded.kind === "journal" && length >= JOURNAL_HEADER.length) {
          expect(decoded.wholeBytes).toBe(encoded(whole).length);
        }
      }),
    );
  });

  test("with any byte changed, gives back only what comes before it", () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (records, at, flip) => {
          const bytes = encoded(records);
          const index = JOURNAL_HEADER.length + (at % (bytes.length - JOURNAL_HEADER.length));
          bytes[index] = (bytes[index] ?? 0) ^ flip;
          const before = records.filter((_, count) => encoded(records.slice(0, count + 1)).length <= index);
          expect(decodeJournal(bytes)).toMatchObject({ kind: "journal", records: before });
        },
      ),
    );
  });

  test("of another kind of file is foreign, and an empty file is an empty journal", () => {
    expect(decodeJournal(Buffer.from("hello"))).toEqual({ kind: "foreign" });
    expect(decodeJournal(Buffer.from("rouse-journal 2\n"))).toEqual({ kind: "foreign" });
    expect(decodeJournal(Buffer.alloc(0))).toEqual({ kind: "journal", records: [], wholeBytes: 0 });
  });
});
