/** Bytes from one socket to another and back: the floor for anything in Node. */
import { connect, createServer } from "node:net";

createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const upstream = connect({
    host: "127.0.0.1",
    port: Number(process.env.UPSTREAM_PORT),
    noDelay: true,
    allowHalfOpen: true,
  });
  client.on("data", (bytes) => {
    if (!upstream.write(bytes)) client.pause();
  });
  upstream.on("data", (bytes) => {
    if (!client.write(bytes)) upstream.pause();
  });
  client.on("drain", () => upstream.resume());
  upstream.on("drain", () => client.resume());
  client.on("end", () => upstream.end());
  upstream.on("end", () => client.end());
  client.on("error", () => upstream.destroy());
  upstream.on("error", () => client.destroy());
}).listen(Number(process.env.PORT), "127.0.0.1");
