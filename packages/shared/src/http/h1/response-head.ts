import type { HttpVersion, ResponseHead } from "../exchange.ts";
import { FieldBlock } from "../field-block.ts";
import type { BodyFraming } from "./request-head.ts";

/** A response head as it was parsed. Its framing depends on the request: `frameResponse`. */
export class ParsedResponseHead extends FieldBlock implements ResponseHead {
  version: HttpVersion = "1.1";
  status = 0;
  /** Where the status line starts, and its reason phrase starts and ends. */
  lineStart = 0;
  reasonFrom = 0;
  reasonTo = 0;
  isChunked = false;
  /** −1 without a Content-Length. */
  contentLength = -1;
  /** The upstream will not take another request on this connection. */
  isLast = false;
  connectionNames: readonly string[] | undefined;

  get reason(): string {
    return this.bytes.toString("latin1", this.reasonFrom, this.reasonTo);
  }

  /** How the body of this response to a request with `method` ends. RFC 9112 §6.3. */
  framing(method: string): BodyFraming {
    if (method === "HEAD" || this.status < 200 || this.status === 204 || this.status === 304) return "none";
    if (this.isChunked) return "chunked";
    if (this.contentLength === 0) return "none";
    return this.contentLength > 0 ? "length" : "until-close";
  }
}
