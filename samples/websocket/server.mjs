// Says back what it is told over a WebSocket, RFC 6455, by hand: short text frames, ping and close.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

function frame(opcode, payload) {
  return Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]);
}

/** The first whole frame in `bytes`, unmasked, and what comes after it. Frames of up to 125 bytes, as this is a sample. */
function readFrame(bytes) {
  if (bytes.length < 6) return undefined;
  const length = bytes[1] & 0x7f;
  if (bytes.length < 6 + length) return undefined;
  const mask = bytes.subarray(2, 6);
  const payload = Buffer.from(bytes.subarray(6, 6 + length)).map((byte, at) => byte ^ mask[at % 4]);
  return { opcode: bytes[0] & 0x0f, payload, rest: bytes.subarray(6 + length) };
}

const server = createServer((_, response) => response.end("connect with a WebSocket\n"));
server.on("upgrade", (request, socket) => {
  const accept = createHash("sha1")
    .update(request.headers["sec-websocket-key"] + GUID)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let bytes = Buffer.alloc(0);
  socket.on("error", () => socket.destroy());
  socket.on("data", (part) => {
    bytes = Buffer.concat([bytes, part]);
    for (let read = readFrame(bytes); read !== undefined; read = readFrame(bytes)) {
      bytes = read.rest;
      if (read.opcode === TEXT)
        socket.write(frame(TEXT, Buffer.from(`you said: ${read.payload}`.slice(0, 125))));
      if (read.opcode === PING) socket.write(frame(PONG, read.payload));
      if (read.opcode === CLOSE) socket.end(frame(CLOSE, read.payload));
    }
  });
});
server.listen(Number(process.env.PORT), () => console.log("listening"));
process.once("SIGTERM", () => process.exit(0));
