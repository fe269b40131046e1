// Calls the service: node samples/grpc/client.mjs [name] [port of the gateway]
import { connect } from "node:http2";
import { decode, encode } from "./message.mjs";

const [name = "you", port = "8080"] = process.argv.slice(2);
const session = connect(`http://127.0.0.1:${port}`);
const stream = session.request({
  ":method": "POST",
  ":path": "/sample.Greeter/SayHello",
  ":authority": "grpc.default.localhost",
  "content-type": "application/grpc",
  te: "trailers",
});
const parts = [];
let status = "none";
stream.on("data", (part) => parts.push(part));
stream.on("trailers", (trailers) => {
  status = trailers["grpc-status"] ?? status;
});
stream.on("close", () => {
  console.log(`grpc-status ${status}: ${decode(Buffer.concat(parts))}`);
  session.close();
});
stream.end(encode(name));
