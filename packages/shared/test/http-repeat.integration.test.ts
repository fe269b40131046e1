import { expect, test } from "vitest";
import { Hop, RawOrigin } from "./http-harness.ts";

const OK = "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 0\r\n\r\n";
const KEY = "Idempotency-Key: 1\r\n";

/** Sends one request on a pooled connection that dies under it; the status, and how many connections there were. */
async function onDyingConnection(head: string, body = "") {
  await using origin = await RawOrigin.start();
  await using hop = await Hop.start(origin);
  const client = await hop.connect();
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const first = await origin.peer(0);
  await first.take("\r\n\r\n");
  first.write(OK);
  await client.take("\r\n\r\n");
  client.write(`${head}\r\n${body}`);
  await first.take(`\r\n\r\n${body}`);
  first.end();
  const isRepeated = await Promise.race([
    origin.peer(1).then(async (second) => {
      await second.take("\r\n\r\n");
      second.write(OK);
      return true;
    }),
    client.until(() => client.received.includes("\r\n\r\n")).then(() => false),
  ]);
  const [, status = ""] = /^HTTP\/1\.1 (\d+)/.exec(await client.take("\r\n\r\n")) ?? [];
  return { isRepeated, status };
}

test.each([
  { method: "GET", more: "" },
  { method: "HEAD", more: "" },
  { method: "OPTIONS", more: "" },
  { method: "TRACE", more: "" },
  { method: "POST", more: KEY },
  { method: "PATCH", more: `X-${KEY}` },
])(
  "Q-35: a $method '$more' without a body, whose pooled connection dies, is sent on another",
  async (row) => {
    const head = `${row.method} / HTTP/1.1\r\nHost: a\r\n${row.more}`;
    expect(await onDyingConnection(head)).toEqual({ isRepeated: true, status: "200" });
  },
);

test.each([
  { method: "POST", more: "Content-Length: 0\r\n", body: "" },
  { method: "PUT", more: "", body: "" },
  { method: "DELETE", more: "", body: "" },
  { method: "GET", more: "Content-Length: 1\r\n", body: "x" },
  { method: "POST", more: `${KEY}Content-Length: 1\r\n`, body: "x" },
])("Q-35, Q-40: a $method '$more' is not: nobody knows how far it came", async ({ method, more, body }) => {
  const head = `${method} / HTTP/1.1\r\nHost: a\r\n${more}`;
  expect(await onDyingConnection(head, body)).toEqual({ isRepeated: false, status: "502" });
});
