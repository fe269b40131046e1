import type { HttpVersion, RequestHead } from "../exchange.ts";
import { FieldBlock } from "../field-block.ts";

/** How the end of a body is found. RFC 9112 §6.3. */
export type BodyFraming = "none" | "length" | "chunked" | "until-close";

/** A request head as it was parsed: checked, and not yet turned into strings. */
export class ParsedRequestHead extends FieldBlock implements RequestHead {
  version: HttpVersion = "1.1";
  /** Where the request line starts, its method ends, its target starts and ends. */
  lineStart = 0;
  methodTo = 0;
  targetFrom = 0;
  targetTo = 0;
  /** Set when the target came in absolute form. */
  absoluteHost: string | undefined;
  /** The target has bytes that are sent on percent-encoded. */
  hasRawTarget = false;
  framing: BodyFraming = "none";
  /** Of a body framed by length; 0 otherwise. */
  contentLength = 0;
  /** The client waits for a 100 before it sends its body. */
  expectsContinue = false;
  /** `Connection` asks to close, or HTTP/1.0 does not ask to keep. */
  isLast = false;
  /** What `Upgrade` asks for; `undefined` when there is nothing to switch to. */
  upgrade: string | undefined;
  /** `TE: trailers`. */
  takesTrailers = false;
  /** Other fields that `Connection` names, which stay on this hop. */
  connectionNames: readonly string[] | undefined;
  #method: string | undefined;
  #target: string | undefined;
  #host: string | undefined;

  get method(): string {
    const method = this.#method ?? this.bytes.toString("latin1", this.lineStart, this.methodTo);
    this.#method = method;
    return method;
  }

  get target(): string {
    if (this.#target === undefined) {
      let text = this.bytes.toString("latin1", this.targetFrom, this.targetTo);
      if (this.hasRawTarget) text = text.replace(/[^\x21-\x7e]/g, percentEncoded);
      this.#target = this.absoluteHost !== undefined && !text.startsWith("/") ? `/${text}` : text;
    }
    return this.#target;
  }

  get host(): string {
    const host = this.#host ?? this.absoluteHost ?? this.get("host") ?? "";
    this.#host = host;
    return host;
  }

  get hasBody(): boolean {
    return this.framing === "chunked" || this.contentLength > 0;
  }

  /** The request line may be sent on as it is. */
  get isPlainLine(): boolean {
    return this.version === "1.1" && this.absoluteHost === undefined && !this.hasRawTarget;
  }
}

function percentEncoded(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase()}`;
}
