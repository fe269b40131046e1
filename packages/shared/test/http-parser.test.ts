import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Fault, faults } from "../src/http/fault.ts";
import type { FieldBlock } from "../src/http/field-block.ts";
import {
  chunkedBodies,
  controlBytes,
  fieldLines,
  framingFields,
  hostFields,
  type ParserCase,
  requestLines,
  responseHeads,
  wholeRequests,
} from "../src/http/fuzz/parser-cases.ts";
import { BodyFramer } from "../src/http/h1/body-framer.ts";
import type { HeadParser } from "../src/http/h1/head-parser.ts";
import { RequestParser } from "../src/http/h1/request-parser.ts";
import { ResponseParser } from "../src/http/h1/response-parser.ts";

const groups: readonly { name: string; rows: readonly ParserCase[]; whole: (text: string) => string }[] = [
  { name: "request lines", rows: requestLines, whole: (text) => `${text}\r\nHost: a\r\n\r\n` },
  { name: "field lines", rows: fieldLines, whole: (text) => `GET / HTTP/1.1\r\nHost: a\r\n${text}\r\n\r\n` },
  { name: "framing", rows: framingFields, whole: (text) => `POST / HTTP/1.1\r\nHost: a\r\n${text}\r\n\r\n` },
  { name: "Host", rows: hostFields, whole: (text) => `GET / HTTP/1.1\r\n${text}\r\n\r\n` },
  { name: "whole requests", rows: wholeRequests, whole: (text) => text },
];

describe.each(groups)("requests: $name", ({ rows, whole }) => {
  test.each(rows)("%j is %s (%s)", (text, verdict) => {
    expect(verdictOn(new RequestParser(), whole(text))).toBe(verdict);
    expect(verdictOn(new RequestParser(), whole(text), 1)).toBe(verdict);
  });
});

describe("responses", () => {
  test.each(responseHeads)("%j is %s (%s)", (text, verdict) => {
    expect(verdictOn(new ResponseParser(), `${text}\r\n\r\n`)).toBe(verdict);
    expect(verdictOn(new ResponseParser(), `${text}\r\n\r\n`, 1)).toBe(verdict);
  });
});

describe("chunked bodies", () => {
  test.each(chunkedBodies)("%j is %s (%s)", (text, verdict) => {
    expect(bodyVerdict(text, text.length)).toBe(verdict);
    expect(bodyVerdict(text, 1)).toBe(verdict);
  });
});

test.each(controlBytes)(
  "control byte %i is refused in method, target, name and value (9110 §5.5, 9112 §3)",
  (byte) => {
    const odd = String.fromCharCode(byte);
    const of = (text: string): string => verdictOn(new RequestParser(), text);
    expect(of(`G${odd}T / HTTP/1.1\r\nHost: a\r\n\r\n`)).toBe("badMethod");
    expect(of(`GET /${odd} HTTP/1.1\r\nHost: a\r\n\r\n`)).toBe("badTarget");
    expect(of(`GET / HTTP/1.1\r\nHost: a\r\nX${odd}: y\r\n\r\n`)).toBe("badFieldName");
    expect(of(`GET / HTTP/1.1\r\nHost: a\r\nX: y${odd}z\r\n\r\n`)).toBe("controlByte");
  },
);

test("the tables hold at least three hundred cases", () => {
  const rows = [...groups.flatMap((group) => group.rows), ...responseHeads, ...chunkedBodies];
  expect(rows.length + 4 * controlBytes.length).toBeGreaterThanOrEqual(300);
  expect(new Set(rows.map(([text]) => text)).size).toBeGreaterThan(290);
});

test("a head may be as long as the limit and no longer, whole or in pieces (Q §13)", () => {
  const head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const step of [head.length, 1]) {
    expect(verdictOn(new RequestParser(head.length), head, step)).toBe("ok");
    expect(verdictOn(new RequestParser(head.length - 1), head, step)).toBe("headTooLarge");
  }
});

test("one long line in single bytes costs one pass, not one per byte", () => {
  const parser = new RequestParser();
  const bytes = Buffer.from(`GET /${"a".repeat(1_000_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, "latin1");
  let progress = "more";
  for (let at = 0; at < bytes.length && progress === "more"; at++) progress = parser.feed(bytes, at, at + 1);
  expect(progress).toBe("done");
  expect(parser.head.target.length).toBe(1_000_001);
});

test("chunk extensions are bounded over the whole body", () => {
  const chunk = `1;${"a".repeat(1_000)}\r\nx\r\n`;
  expect(bodyVerdict(`${chunk.repeat(15)}0\r\n\r\n`, 4_096)).toBe("ok");
  expect(bodyVerdict(`${chunk.repeat(17)}0\r\n\r\n`, 4_096)).toBe("chunkExtensionsTooLong");
});

test("any split of the same bytes gives the same events", () => {
  const texts = [
    ...groups.flatMap(({ rows, whole }) => rows.map(([text]) => whole(text))),
    ...chunkedBodies.map(
      ([text]) => `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${text}`,
    ),
    "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.array(fc.nat(40), { minLength: 1, maxLength: 30 }),
      (text, cuts) => {
        expect(eventsOf(text, cuts)).toEqual(eventsOf(text, [text.length]));
      },
    ),
    { numRuns: 3_000 },
  );
});

function verdictOn(parser: HeadParser<FieldBlock>, text: string, step = text.length): string {
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; at += step) {
    const progress = parser.feed(bytes, at, Math.min(bytes.length, at + step));
    if (progress === "fault") return nameOf(parser.fault);
    if (progress === "done") return "ok";
  }
  return "unfinished";
}

function bodyVerdict(text: string, step: number): string {
  const framer = new BodyFramer();
  framer.start("chunked", 0);
  const bytes = Buffer.from(text, "latin1");
  for (let from = 0; from < bytes.length; from += step) {
    const to = Math.min(bytes.length, from + step);
    for (let at = from; at < to; at = framer.to) {
      const event = framer.read(bytes, at, to);
      if (event === "fault") return nameOf(framer.fault);
      if (event === "end") return framer.to === bytes.length ? "ok" : "ended early";
    }
  }
  return "unfinished";
}

/** Requests with their bodies as they are found in pieces of the given lengths, again and again. */
function eventsOf(text: string, cuts: readonly number[]): readonly unknown[] {
  const parser = new RequestParser();
  const framer = new BodyFramer();
  const bytes = Buffer.from(text, "latin1");
  const events: unknown[] = [];
  let body: string | undefined;
  for (let from = 0, turn = 0; from < bytes.length; turn++) {
    const to = Math.min(bytes.length, from + Math.max(1, cuts[turn % cuts.length] ?? 1));
    // Each piece is a buffer of its own, as from a socket: what the parser keeps must be its own.
    const piece = Buffer.from(bytes.subarray(from, to));
    let at = 0;
    while (at < piece.length) {
      if (body === undefined) {
        const progress = parser.feed(piece, at, piece.length);
        if (progress === "more") break;
        if (progress === "fault") return [...events, nameOf(parser.fault)];
        const { head } = parser;
        events.push(head.method, head.target, head.host, [...head.entries()], head.framing);
        framer.start(head.framing, head.contentLength);
        at = parser.to;
        if (head.hasBody) body = "";
        continue;
      }
      const event = framer.read(piece, at, piece.length);
      at = framer.to;
      if (event === "fault") return [...events, body, nameOf(framer.fault)];
      if (event === "data") body += piece.toString("latin1", framer.dataFrom, framer.dataTo);
      if (event === "end" || (framer.framing === "length" && framer.left === 0)) {
        events.push(body, [...(framer.trailers?.entries() ?? [])]);
        body = undefined;
      }
    }
    piece.fill(0); // whoever still reads it finds nothing
    from = to;
  }
  return [...events, body ?? "between"];
}

function nameOf(fault: Fault): string {
  return Object.entries(faults).find(([, known]) => known === fault)?.[0] ?? "unknown";
}
