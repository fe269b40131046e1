// A gRPC service (greeter.proto) on plain HTTP/2, with nothing but Node.
import { createServer } from "node:http2";
import { decode, encode } from "./message.mjs";

const server = createServer();
server.on("stream", (stream, headers) => {
  const parts = [];
  stream.on("data", (part) => parts.push(part));
  stream.on("end", () => {
    const isKnown = headers[":path"] === "/sample.Greeter/SayHello";
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    // 12 is UNIMPLEMENTED.
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": isKnown ? "0" : "12" }));
    if (isKnown) stream.end(encode(`Hello ${decode(Buffer.concat(parts))}, from ${process.env.K_REVISION}`));
    else stream.end();
  });
});
server.listen(Number(process.env.PORT), () => console.log("listening"));
process.once("SIGTERM", () => server.close(() => process.exit(0)));
