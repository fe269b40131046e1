import fc from "fast-check";
import { expect, test } from "vitest";
import { type OutputLine, OutputRing } from "./output-ring.ts";

function ring(limits?: { keptBytes: number; lineBytesMax: number }) {
  const told: string[] = [];
  const output = new OutputRing(({ stream, text }: OutputLine) => told.push(`${stream} ${text}`), limits);
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
  expect(output.count).toBe(20_000);
});

test("the tail is of this run alone and has both bounds", () => {
  const { write, output } = ring();
  write("earlier\n");
  const since = output.count;
  write("a\nbb\nccc\n");
  expect(output.tail({ since, lines: 80, characters: 2_048 })).toBe("a\nbb\nccc");
  expect(output.tail({ since, lines: 2, characters: 2_048 })).toBe("bb\nccc");
  expect(output.tail({ since, lines: 2, characters: 5 })).toBe("b\nccc");
  expect(output.tail({ since: output.count, lines: 80, characters: 2_048 })).toBe("");
});
