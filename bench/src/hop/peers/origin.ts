/**
 * The upstream of every hop, as cheap as it can be: HTTP/1.1 on PORT, cleartext HTTP/2 on PORT_H2.
 * `/16k` answers 16 KiB, `/big/N` N MiB, anything else 12 bytes; a body is read to its end and forgotten.
 */
import { createServer as createHttp2Server } from "node:http2";
import { createServer, type Socket } from "node:net";

const SMALL = "hello world\n";
const LARGE = "x".repeat(16_384);
const PIECE = Buffer.alloc(65_536, "x");
const HEAD_END = "\r\n\r\n";

function headOf(length: number): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: ${length}\r\n\r\n`;
}

const small = headOf(SMALL.length) + SMALL;
const large = headOf(LARGE.length) + LARGE;

createServer({ noDelay: true }, (socket) => {
  let held = "";
  let bodyLeft = 0;
  let target = "";
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    if (bodyLeft > 0) {
      bodyLeft -= bytes.length;
      if (bodyLeft <= 0) answer(socket, target);
      return;
    }
    held += bytes.toString("latin1");
    for (let end = held.indexOf(HEAD_END); end >= 0; end = held.indexOf(HEAD_END)) {
      const head = held.slice(0, end);
      target = head.slice(head.indexOf(" ") + 1, head.indexOf(" HTTP/"));
      const length = head.startsWith("POST") ? Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0) : 0;
      const rest = held.length - end - HEAD_END.length;
      held = held.slice(end + HEAD_END.length + Math.min(rest, length));
      bodyLeft = Math.max(0, length - rest);
      if (bodyLeft === 0) answer(socket, target);
    }
  });
}).listen(Number(process.env.PORT), "127.0.0.1");

function answer(socket: Socket, target: string): void {
  if (target === "/16k") socket.write(large, "latin1");
  else if (target.startsWith("/big/")) stream(socket, Number(target.slice("/big/".length)) * 1_048_576);
  else socket.write(small, "latin1");
}

function stream(socket: Socket, bytes: number): void {
  let left = bytes;
  socket.write(headOf(bytes), "latin1");
  const write = (): void => {
    while (left > 0) {
      left -= PIECE.length;
      if (!socket.write(PIECE)) {
        socket.once("drain", write);
        return;
      }
    }
  };
  write();
}

const http2 = createHttp2Server({ settings: { maxConcurrentStreams: 1_000, initialWindowSize: 1_048_576 } });
http2.on("stream", (stream) => {
  stream.on("error", () => {});
  stream.resume();
  stream.respond({ ":status": 200, "content-type": "text/plain", "content-length": String(SMALL.length) });
  stream.end(SMALL);
});
http2.listen(Number(process.env.PORT_H2), "127.0.0.1");
