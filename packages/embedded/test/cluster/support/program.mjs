// A user's program: answers after a few milliseconds, on the port it is told.
import { createServer } from "node:http";

const WORK_MS = Number(process.env.WORK_MS ?? 5);

createServer((request, response) => {
  request.resume();
  setTimeout(() => response.end("hello\n"), WORK_MS);
}).listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
