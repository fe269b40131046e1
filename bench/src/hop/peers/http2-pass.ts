/** A bare pass-through on `node:http2`, with trailers and nothing else: the floor for HTTP/2 in Node. */
import { connect, createServer } from "node:http2";

const session = connect(`http://127.0.0.1:${process.env.UPSTREAM_PORT_H2}`, {
  peerMaxConcurrentStreams: 1_000,
});
session.on("error", () => {});
const server = createServer({ settings: { maxConcurrentStreams: 1_000, initialWindowSize: 1_048_576 } });
server.on("stream", (stream, headers, flags) => {
  const isWhole = (flags & 1) !== 0;
  const upstream = session.request(headers, { endStream: isWhole });
  upstream.on("error", () => {});
  stream.on("error", () => {});
  upstream.on("response", (answer) => {
    if (stream.destroyed) return; // the load tool has ended
    stream.respond(answer, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({}));
    upstream.on("data", (bytes) => {
      if (!stream.write(bytes)) upstream.pause();
    });
    stream.on("drain", () => upstream.resume());
    upstream.on("end", () => {
      if (!stream.destroyed) stream.end();
    });
  });
  if (!isWhole) stream.pipe(upstream);
});
server.listen(Number(process.env.PORT), "127.0.0.1");
