import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { RealClock } from "../src/clock/real-clock.ts";
import { findDisagreement, fuzzHttp } from "../src/http/fuzz/fuzz-http.ts";
import { LlhttpOracle } from "../src/http/fuzz/llhttp-oracle.ts";
import { caseConnections } from "../src/http/fuzz/parser-cases.ts";
import { readOurs } from "../src/http/fuzz/reading.ts";

const oracle = new LlhttpOracle();
afterAll(() => oracle[Symbol.dispose]());

test("every case of the tables that we forward, Node's parser reads the same way", async () => {
  for (const text of caseConnections()) {
    const found = await findDisagreement(Buffer.from(text, "latin1"), oracle);
    expect(found, JSON.stringify(text)).toBeUndefined();
  }
});

test("two requests in one connection: what follows a case is read the same way too", async () => {
  for (const text of caseConnections()) {
    const input = Buffer.from(`${text}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`, "latin1");
    expect(await findDisagreement(input, oracle), JSON.stringify(text)).toBeUndefined();
  }
});

test("damaged connections are refused or read the same way: 100,000 of them", async () => {
  const report = await fuzzHttp(new RealClock(), { minutes: 5, inputsMax: 100_000, seed: 20_260_821 });
  expect(report.inputs).toBe(100_000);
  expect(report.accepted).toBeGreaterThan(5_000);
  expect(report.disagreements).toEqual([]);
}, 120_000);

test("what is well formed is accepted and read as it was written, by both", async () => {
  const token = fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/);
  const value = fc.stringMatching(/^[!-~](?:[ -~]{0,20}[!-~])?$/);
  const chunk = fc.uint8Array({ minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(token, value), { maxLength: 6 }),
      fc.array(chunk, { maxLength: 5 }),
      fc.boolean(),
      async (given, chunks, isChunked) => {
        const fields = given.map(([name, text]) => [`X-${name}`, text] as const);
        const body = Buffer.concat(chunks).toString("latin1");
        const framing = isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${body.length}`;
        const pieces = chunks.map(
          (bytes) => `${bytes.length.toString(16)}\r\n${Buffer.from(bytes).toString("latin1")}\r\n`,
        );
        const lines = fields.map(([name, text]) => `${name}: ${text}\r\n`).join("");
        const text = `POST /a HTTP/1.1\r\nHost: a\r\n${lines}${framing}\r\n\r\n${isChunked ? `${pieces.join("")}0\r\n\r\n` : body}`;
        const input = Buffer.from(text, "latin1");
        const [read] = readOurs(input).requests;
        expect(read?.body).toBe(body);
        expect(read?.fields.slice(2, -2)).toEqual(fields.flat());
        expect(await findDisagreement(input, oracle)).toBeUndefined();
      },
    ),
    { numRuns: 300 },
  );
});
