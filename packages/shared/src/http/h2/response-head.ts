import type { ResponseHead } from "../exchange.ts";
import { Http2Fields } from "./fields.ts";
import { statusOf } from "./headers.ts";

/** A response head of HTTP/2, for who wants to see it before it is relayed. */
export class Http2ResponseHead extends Http2Fields implements ResponseHead {
  get status(): number {
    return statusOf(this.raw);
  }
}
