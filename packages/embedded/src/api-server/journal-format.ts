import { crc32 } from "node:zlib";
import type { JournalRecord } from "@rouse/shared";

/** First line of every journal: what it is, and the version of this format. */
export const JOURNAL_HEADER = "rouse-journal 1\n";
/** `<length of the JSON in bytes> <CRC-32 of it> `, each eight hexadecimal digits. */
const FRAME_LENGTH = 18;
const FRAME = /^([0-9a-f]{8}) ([0-9a-f]{8}) $/;
const NEWLINE = 0x0a;

/** One record as a line of its own: readable with any pager, and any damage to it shows. */
export function encodeRecord(record: JournalRecord): string {
  const json = JSON.stringify(record);
  return `${hex(Buffer.byteLength(json))} ${hex(crc32(json))} ${json}\n`;
}

/** What a journal holds. */
export type DecodedJournal =
  | {
      readonly kind: "journal";
      readonly records: readonly JournalRecord[];
      /** Up to here it is whole; what follows was being written when the process or the machine stopped. */
      readonly wholeBytes: number;
    }
  /** Not a journal at all, or of a version this program does not know. */
  | { readonly kind: "foreign" };

/** Reads records up to the first that is not whole. An empty file is an empty journal. */
export function decodeJournal(bytes: Buffer): DecodedJournal {
  const header = Buffer.from(JOURNAL_HEADER);
  if (!bytes.subarray(0, header.length).equals(header)) {
    // A header cut short was the very first write.
    const isTorn = header.subarray(0, bytes.length).equals(bytes);
    return isTorn ? { kind: "journal", records: [], wholeBytes: 0 } : { kind: "foreign" };
  }
  const records: JournalRecord[] = [];
  let at = header.length;
  for (;;) {
    const frame = FRAME.exec(bytes.toString("latin1", at, at + FRAME_LENGTH));
    if (frame === null) break;
    const start = at + FRAME_LENGTH;
    const end = start + Number.parseInt(frame[1] ?? "", 16);
    if (bytes[end] !== NEWLINE) break;
    const json = bytes.subarray(start, end);
    if (crc32(json) !== Number.parseInt(frame[2] ?? "", 16)) break;
    // Its checksum says these are the bytes that `encodeRecord` wrote.
    const record: JournalRecord = JSON.parse(json.toString("utf8"));
    records.push(record);
    at = end + 1;
  }
  return { kind: "journal", records, wholeBytes: at };
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
