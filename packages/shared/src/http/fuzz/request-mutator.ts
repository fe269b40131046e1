import type { Random } from "../../random.ts";

const METHODS = ["GET", "POST", "HEAD", "PUT", "OPTIONS", "M-SEARCH", "get", "PRI", "CONNECT"];
const TARGETS = ["/", "/a?b=c", "*", "http://a/b", "//x", "/%2e%2e/", "/\xe9", "a:80"];
const VERSIONS = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "http/1.1"];
const FIELDS = [
  "Content-Length: 5",
  "Content-Length: 0",
  "Content-Length: 05",
  "Content-Length:\t3 ",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: Chunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: identity",
  "Transfer-Encoding:\x0bchunked",
  "Connection: close",
  "Connection: keep-alive",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Expect: 100-continue",
  "Trailer: X-T",
  "X: y",
  "X:",
  "X:  \xe9\t z ",
  "Host: b",
  "Host:",
  "TE: trailers",
  "Proxy-Connection: keep-alive",
  "Content-Length : 5",
  " folded",
];
const BODIES = [
  "",
  "hello",
  "0\r\n\r\n",
  "5\r\nhello\r\n0\r\n\r\n",
  "5;a=b\r\nhello\r\n0\r\nX-T: z\r\n\r\n",
  "005\r\nhello\r\n0\r\n\r\n",
  "5 \r\nhello\r\n0\r\n\r\n",
  "5\nhello\n0\n\n",
  "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
];
/** Pieces that have started a disagreement between two parsers somewhere, once. */
const TOKENS = [
  "\r\n",
  "\n",
  "\r",
  "\0",
  " ",
  "\t",
  ":",
  ";",
  ",",
  "0",
  "1",
  "f",
  "\x0b",
  "\x0c",
  "\x7f",
  "\x80",
  "\xa0",
  "\xff",
];
const LINE_ENDS = ["\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n"];

/** A connection's bytes: one to three requests, mostly well formed, then damaged a little or not at all. */
export function mutatedConnection(random: Random, corpus: readonly string[]): Buffer {
  const count = random.integer(1, 3);
  let text = "";
  for (let request = 0; request < count; request++) {
    text += corpus.length > 0 && random.chance(0.4) ? pick(random, corpus) : built(random);
  }
  const edits = random.chance(0.3) ? 0 : random.integer(1, 4);
  for (let edit = 0; edit < edits; edit++) text = damaged(random, text, corpus);
  return Buffer.from(text, "latin1");
}

function built(random: Random): string {
  // Most requests end their lines properly: damage comes afterwards, and what is refused at once finds little.
  const isOdd = random.chance(0.1);
  const end = (): string => (isOdd ? pick(random, LINE_ENDS) : "\r\n");
  let text = `${pick(random, METHODS)} ${pick(random, TARGETS)} ${pick(random, VERSIONS)}${end()}Host: a${end()}`;
  for (let count = random.integer(0, 3); count > 0; count--) text += pick(random, FIELDS) + end();
  return text + end() + pick(random, BODIES);
}

function damaged(random: Random, text: string, corpus: readonly string[]): string {
  const at = random.integer(0, text.length);
  switch (random.integer(0, 5)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(random.integer(0, 255)) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + pick(random, TOKENS) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at + random.integer(1, 4));
    case 3:
      return text.slice(0, at) + text.slice(at, at + random.integer(1, 12)) + text.slice(at);
    case 4:
      return `${text.slice(0, at)}\r\n${pick(random, FIELDS)}\r\n${text.slice(at)}`;
    default: {
      if (corpus.length === 0) return text.slice(0, at);
      const other = pick(random, corpus);
      return text.slice(0, at) + other.slice(random.integer(0, other.length));
    }
  }
}

function pick(random: Random, from: readonly string[]): string {
  return from[random.integer(0, from.length - 1)] ?? "";
}
