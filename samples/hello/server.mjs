// The smallest service: listens on the port it is given and says hello.
import { createServer } from "node:http";

const server = createServer((request, response) => {
  response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" });
  response.end(`Hello from ${process.env.K_REVISION}, ${request.method} ${request.url}\n`);
});

server.listen(Number(process.env.PORT), () => console.log("listening"));

// Asked to end: no new connections, those at work finish.
process.once("SIGTERM", () => server.close());
