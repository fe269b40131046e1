// Talks to the service: node samples/websocket/client.mjs [words] [port of the gateway]
// By hand rather than with `new WebSocket(…)`, which needs a resolver that knows names under localhost.
import { randomBytes } from "node:crypto";
import { request } from "node:http";

const [words = "hello", port = "8080"] = process.argv.slice(2);
const headers = {
  Host: `websocket.default.localhost:${port}`,
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
};
const sent = request({ host: "127.0.0.1", port, headers });
sent.on("response", ({ statusCode }) => {
  console.log(`not connected: ${statusCode}`);
  process.exit();
});
sent.on("error", ({ message }) => console.log(`not connected: ${message}`));
sent.on("upgrade", (_, socket, first) => {
  const text = Buffer.from(words).subarray(0, 100);
  const mask = randomBytes(4);
  const masked = text.map((byte, at) => byte ^ mask[at % 4]);
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length]), mask, masked]));
  const show = (frame) => {
    if (frame.length < 2) return;
    console.log(frame.subarray(2, 2 + frame[1]).toString("utf8"));
    socket.destroy();
  };
  show(first);
  socket.on("data", show);
});
sent.end();
