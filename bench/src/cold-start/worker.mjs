// A program whose every request takes a while, so that one pod of it is not enough for a burst.
import { createServer } from "node:http";

const WORK_MS = 50;

const server = createServer((_request, response) => setTimeout(() => response.end("done\n"), WORK_MS));
server.listen(Number(process.env.PORT));
process.once("SIGTERM", () => server.close());
