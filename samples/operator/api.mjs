// The API of the platform, as both programs of this sample use it: by the control socket of `rouse up`.
import { request } from "node:http";
import { resolve } from "node:path";

/** Where `rouse up` keeps it when it is started in the folder above `samples`. */
const SOCKET = resolve(process.env.ROUSE_SOCKET ?? "../../.rouse/api.sock");

/** Sends one request; resolves with its status and its body. */
export function send(options, body) {
  return new Promise((resolvePromise, reject) => {
    const sent = request({ agent: false, ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => {
        text += part;
      });
      response.on("error", reject);
      response.on("end", () => resolvePromise({ status: response.statusCode, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** One call of the API. Resolves with the object, or rejects with an error that has its `status`. */
export async function call(method, path, body) {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const text = body === undefined ? undefined : JSON.stringify(body);
  const options = { socketPath: SOCKET, method, path, headers: { "Content-Type": type } };
  const answer = await send(options, text);
  if (answer.status < 300) return JSON.parse(answer.text);
  throw Object.assign(new Error(`${method} ${path}: ${answer.status} ${answer.text}`), {
    status: answer.status,
  });
}

/** A watch of the API: its events one by one, until the API ends it. */
export async function* events(path) {
  const response = await new Promise((resolvePromise, reject) => {
    const sent = request({ agent: false, socketPath: SOCKET, method: "GET", path }, resolvePromise);
    sent.on("error", reject);
    sent.end();
  });
  let rest = "";
  for await (const part of response.setEncoding("utf8")) {
    const lines = (rest + part).split("\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}
