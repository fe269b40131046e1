// The only message of greeter.proto, written by hand so that the sample needs no dependency: one string, field 1, in a
// gRPC frame (a zero byte for "not compressed", then the length).

/** A frame with a message whose field 1 is `text`; up to 127 bytes of it. */
export function encode(text) {
  const bytes = Buffer.from(text).subarray(0, 127);
  const message = Buffer.concat([Buffer.from([0x0a, bytes.length]), bytes]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Field 1 of the message in a frame. */
export function decode(frame) {
  const length = frame[6] ?? 0;
  return frame.subarray(7, 7 + length).toString("utf8");
}
