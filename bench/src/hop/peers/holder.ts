/** What Node itself takes for connections that wait: a bare listener that keeps them. The floor for parked requests. */
import { createServer, type Socket } from "node:net";
import { IdleMemory, RealClock, silentLogger } from "@rouse/shared";

const HEAD_END = "\r\n\r\n";
const AT_REST = { busyRatioMax: 0.05, returnedBytesMin: 4 * 1024 * 1024 };
const connections = new Set<Socket>();
const parked = new Set<Socket>();

function answerTo(target: string): string {
  if (target === "/parked") return String(parked.size);
  return target === "/connections" ? String(connections.size) : "hello world\n";
}

createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  connections.add(socket);
  socket.on("error", () => {});
  socket.on("end", () => socket.end());
  socket.on("close", () => {
    connections.delete(socket);
    parked.delete(socket);
  });
  socket.on("data", (bytes) => {
    const text = bytes.toString("latin1");
    if (!text.endsWith(HEAD_END)) return;
    const [, target = ""] = text.split(" ", 2);
    if (target === "/park") {
      parked.add(socket);
      return;
    }
    const body = answerTo(target);
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}${HEAD_END}${body}`, "latin1");
  });
}).listen(Number(process.env.PORT), "127.0.0.1");

void new IdleMemory({ clock: new RealClock(), log: silentLogger }, AT_REST);
