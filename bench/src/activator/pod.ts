/**
 * A pod: takes `WORK_MS` for each request, writes down which POSTs it has run before it answers, and says how many it
 * served and how many at most at one time.
 */
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import type { PodNews } from "./messages.ts";

const workMs = Number(process.env.WORK_MS);
const journal = process.env.JOURNAL ?? "";
let running = 0;
let peak = 0;
let served = 0;

const server = createServer((request, response) => {
  running++;
  peak = Math.max(peak, running);
  if (request.method === "POST" && journal !== "") appendFileSync(journal, `${request.url}\n`);
  request.resume();
  response.on("close", () => running--);
  setTimeout(() => {
    served++;
    response.end("done");
  }, workMs);
});
const tell = (news: PodNews): void => void process.send?.(news);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  tell({ kind: "listening", port: typeof address === "object" && address !== null ? address.port : 0 });
  setInterval(() => tell({ kind: "load", served, peak }), 100);
});
process.on("disconnect", () => process.exit());
