// Says which version it is: GREETING is all that differs between the two revisions.
import { createServer } from "node:http";

const server = createServer((_request, response) => response.end(`${process.env.GREETING}\n`));
server.listen(Number(process.env.PORT));
process.once("SIGTERM", () => server.close());
