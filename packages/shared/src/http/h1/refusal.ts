import { ProxyError } from "../../errors/proxy-error.ts";
import type { Fault } from "../fault.ts";
import { localResponseText } from "./head-writer.ts";

/** Q §13: what a refused client reads. */
export function refusalText(fault: Fault): string {
  switch (fault.code) {
    case "headers-too-large":
      return "431 Request Header Fields Too Large";
    case "unsupported-version":
      return "505 HTTP Version Not Supported";
    case "unsupported-expectation":
      return "417 Expectation Failed";
    case "bad-request":
      return `400 Bad Request: ${fault.reason}`;
    default:
      return fault.reason;
  }
}

/** The whole answer to a head that is refused, the last on its connection. */
export function refusalAnswer(fault: Fault, date: string): string {
  const { status } = new ProxyError(fault.code, "");
  const text = refusalText(fault);
  return localResponseText(
    {
      status,
      headers: { "Content-Type": "text/plain; charset=utf-8" },
      body: status === 502 ? `${text}\n` : text,
    },
    { isLast: true, saysKeepAlive: false, date, hasBody: true },
    undefined,
  );
}
