const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Whether a connection begins as one of HTTP/2 does, which is no request of HTTP/1.1; `maybe` when more must come. Q-76. */
export function beginsAsHttp2(read: Buffer): "yes" | "maybe" | "no" {
  if (read[0] !== HTTP2_PREFACE[0]) return "no";
  const length = Math.min(read.length, HTTP2_PREFACE.length);
  if (!read.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length))) return "no";
  return length < HTTP2_PREFACE.length ? "maybe" : "yes";
}
