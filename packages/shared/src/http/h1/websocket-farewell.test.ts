import fc from "fast-check";
import { expect, test } from "vitest";
import { WebSocketFarewell } from "./websocket-farewell.ts";

function frame(length: number, { opcode = 2, isMasked = false } = {}): Buffer {
  const mask = isMasked ? 0x80 : 0;
  const long = length > 65_535 ? Buffer.alloc(8) : length > 125 ? Buffer.alloc(2) : Buffer.alloc(0);
  if (long.length === 2) long.writeUInt16BE(length);
  else if (long.length === 8) long.writeBigUInt64BE(BigInt(length));
  const code = long.length === 2 ? 126 : long.length === 8 ? 127 : length;
  return Buffer.concat([
    Buffer.from([0x80 | opcode, mask | code]),
    long,
    Buffer.alloc(isMasked ? 4 : 0, 0x88),
    Buffer.alloc(length, 0x88), // looks like the start of a close frame wherever it is taken for one
  ]);
}

test("between frames a close frame may be sent at once, and nothing behind it", () => {
  const farewell = new WebSocketFarewell();
  const bytes = frame(5);
  expect(farewell.relay(bytes, 0, bytes.length)).toBe(bytes.length);
  expect(farewell.takeDue()).toBe(false);
  farewell.want();
  expect([farewell.takeDue(), farewell.takeDue()]).toEqual([true, false]);
  expect(farewell.relay(bytes, 0, bytes.length)).toBe(0);
  farewell.want();
  expect(farewell.takeDue()).toBe(false);
});

test("behind the upstream's own close frame nothing is said", () => {
  const farewell = new WebSocketFarewell();
  const bytes = Buffer.concat([frame(2, { opcode: 8 }), frame(1)]);
  expect(farewell.relay(bytes, 0, bytes.length)).toBe(4);
  farewell.want();
  expect(farewell.takeDue()).toBe(false);
});

test("a close frame comes exactly at the end of the frame it interrupted, wherever the bytes were cut", () => {
  const shape = fc.record({
    length: fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536, 70_000),
    isMasked: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(shape, { minLength: 1, maxLength: 6 }), fc.nat(), fc.nat(), (shapes, when, step) => {
      const frames = shapes.map(({ length, isMasked }) => frame(length, { isMasked }));
      const bytes = Buffer.concat(frames);
      const wantedAt = when % (bytes.length + 1);
      const stepBytes = 1 + (step % 5_000);
      let boundary = 0;
      for (const each of frames) if (boundary < wantedAt) boundary += each.length;
      const farewell = new WebSocketFarewell();
      let relayed = 0;
      let saidAt = -1;
      for (let from = 0; from < bytes.length; ) {
        const to = Math.min(bytes.length, from < wantedAt ? wantedAt : from + stepBytes, from + stepBytes);
        relayed += farewell.relay(bytes, from, to) - from;
        if (to >= wantedAt) farewell.want();
        if (farewell.takeDue()) saidAt = relayed;
        from = to;
      }
      if (wantedAt === 0) expect(saidAt).toBeGreaterThanOrEqual(0);
      else expect([saidAt, relayed]).toEqual([boundary, boundary]);
    }),
  );
});
