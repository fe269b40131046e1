import { VirtualClock } from "@rouse/shared/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type OutputLine, OutputRing } from "./output-ring.ts";

function ring(limits?: { keptBytes: number; lineBytesMax: number }) {
  const told: string[] = [];
  const clock = new VirtualClock();
  const onLine = ({ stream, text }: OutputLine): void => void told.push(`${stream} ${text}`);
  const output = new OutputRing({ wall: () => clock.wall(), onLine }, limits);
  const write = (text: string | Buffer, stream: "stdout" | "stderr" = "stdout"): void =>
    output.write(stream, Buffer.from(text));
  return { told, output, write };
}

test("lines come out whole, however they came in, each stream by itself", () => {
  const { told, write, output } = ring();
  write("one\ntw");
  write("err", "stderr");
  write("o\r\n\nthr");
  write("or\n", "stderr");
  output.end();
  expect(told).toEqual(["stdout one", "stdout two", "stdout ", "stderr error", "stdout thr"]);
});

test("a letter cut in two by a chunk is put together again", () => {
  const { told, write } = ring();
  const bytes = Buffer.from("grüße\n");
  for (const byte of bytes) write(Buffer.of(byte));
  expect(told).toEqual(["stdout grüße"]);
});

test("a line without end is cut, not collected", () => {
  const { told, write, output } = ring({ keptBytes: 100, lineBytesMax: 4 });
  write("abcdefghij");
  expect(told).toEqual(["stdout abcd", "stdout efgh"]);
  write("k\n");
  output.end();
  expect(told.slice(2)).toEqual(["stdout ijk"]);
});

test("what is kept has a bound, the oldest lines go first", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 30, unit: "grapheme-ascii" })), (texts) => {
      const { told, write, output } = ring({ keptBytes: 64, lineBytesMax: 16 });
      for (const text of texts) write(`${text}\n`);
      const kept = output.lines().map(({ stream, text }) => `${stream} ${text}`);
      expect(kept).toEqual(told.slice(told.length - kept.length));
      expect(
        kept.length <= 1 || output.lines().reduce((sum, { text }) => sum + text.length + 1, 0) <= 64,
      ).toBe(true);
      expect(told.length === 0 || kept.length > 0).toBe(true);
    }),
  );
});

test("a great many lines cost no more than what is kept", () => {
  const { write, output } = ring({ keptBytes: 1_000, lineBytesMax: 100 });
  for (let line = 0; line < 20_000; line++) write(`line ${line}\n`);
  expect(output.lines().at(-1)?.text).toBe("line 19999");
  expect(output.lines().length).toBeLessThan(120);
});

test("the tail is of this run alone and has both bounds", () => {
  const { write, output } = ring();
  output.begin();
  write("earlier\n");
  output.end();
  output.begin();
  write("a\nbb\nccc\n");
  expect(output.tail({ lines: 80, characters: 2_048 })).toBe("a\nbb\nccc");
  expect(output.tail({ lines: 2, characters: 2_048 })).toBe("bb\nccc");
  expect(output.tail({ lines: 2, characters: 5 })).toBe("b\nccc");
  output.end();
  output.begin();
  expect(output.tail({ lines: 80, characters: 2_048 })).toBe("");
});

describe("runs", () => {
  test("what is shown is of the present run, or of the last; the one before it is kept, too (P-87)", () => {
    const { write, output } = ring();
    const shown = () => [output.lines(), output.previous()].map((lines) => lines?.map(({ text }) => text));
    expect(shown()).toEqual([[], undefined]);
    output.begin();
    write("one\n");
    expect(shown()).toEqual([["one"], undefined]);
    write("without an end");
    output.end();
    expect(shown()).toEqual([
      ["one", "without an end"],
      ["one", "without an end"],
    ]);
    output.begin();
    write("two\n");
    expect(shown()).toEqual([["two"], ["one", "without an end"]]);
    output.end();
    output.begin();
    expect(shown()).toEqual([[], ["two"]]);
  });

  test("an earlier run gives way to a later one, line by line", () => {
    const { write, output } = ring({ keptBytes: 20, lineBytesMax: 16 });
    output.begin();
    write("aaaa\nbbbb\ncccc\n");
    output.end();
    output.begin();
    write("dddd\neeee\n");
    expect(output.previous()?.map(({ text }) => text)).toEqual(["bbbb", "cccc"]);
    write("ffff\ngggg\nhhhh\n");
    expect(output.previous()).toEqual([]);
    expect(output.lines().map(({ text }) => text)).toEqual(["eeee", "ffff", "gggg", "hhhh"]);
  });
});
