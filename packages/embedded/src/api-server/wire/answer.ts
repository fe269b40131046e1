import { KubeError } from "@rouse/shared";

export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** What is sent back: whole, or piece by piece until either side ends it. */
export type Answer =
  | { readonly kind: "whole"; readonly status: number; readonly headers: Headers; readonly body: string }
  | {
      readonly kind: "stream";
      readonly status: number;
      readonly headers: Headers;
      /** Called once the head is on its way. Disposed when the client has left or the stream has ended. */
      readonly start: (stream: AnswerStream) => Disposable;
    };

export interface AnswerStream {
  /** Sends a piece at once. */
  write(text: string): void;
  /** Written and not yet taken by the network. */
  readonly pendingBytes: number;
  end(): void;
}

export const JSON_TYPE = "application/json";

/** P-2. */
export function json(
  body: unknown,
  options: { status?: number; headers?: Headers; type?: string } = {},
): Answer {
  const { status = 200, headers = {}, type = JSON_TYPE } = options;
  return {
    kind: "whole",
    status,
    headers: { "Content-Type": type, "Cache-Control": "no-cache, private", ...headers },
    body: `${JSON.stringify(body)}\n`,
  };
}

export function text(body: string, status = 200): Answer {
  return { kind: "whole", status, headers: { "Content-Type": "text/plain; charset=utf-8" }, body };
}

/** P-6. */
export function pageNotFound(): Answer {
  return text("404 page not found\n", 404);
}

/** A Status of what went wrong. P-30 */
export function failure(error: unknown): Answer {
  const known = error instanceof KubeError ? error : new KubeError("InternalError", String(error));
  const status = statusOf(known);
  const retryAfter = status.details?.retryAfterSeconds;
  const headers = retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) };
  return json(status, { status: known.code, headers });
}

interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: object;
  readonly status: "Failure";
  readonly message: string;
  readonly reason: string;
  readonly details?: KubeError["details"];
  readonly code: number;
}

export function statusOf(error: KubeError): Status {
  const { code, reason, message, details } = error;
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  };
}

export function methodNotAllowed(): KubeError {
  return new KubeError(
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
    {},
  );
}
