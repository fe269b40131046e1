// A program whose every request takes as long as its path says, in milliseconds: /200.
import { createServer } from "node:http";

const server = createServer((request, response) =>
  setTimeout(() => response.end("done\n"), Number(request.url.slice(1))),
);
server.listen(Number(process.env.PORT));
process.once("SIGTERM", () => server.close());
