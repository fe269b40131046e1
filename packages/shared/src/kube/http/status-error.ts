import { KubeError, type KubeErrorReason } from "../client.ts";

const byCode: Readonly<Record<number, KubeErrorReason>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  409: "Conflict",
  410: "Expired",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  503: "ServiceUnavailable",
  504: "Timeout",
};

/** What a call failed with, from the HTTP status and the Status object in the answer, if there is one. P-30. */
export function statusError(code: number, body: unknown): KubeError {
  const status = isMap(body) && body.kind === "Status" ? body : undefined;
  const text = status?.message;
  const message = typeof text === "string" && text !== "" ? text : `the API answered with status ${code}`;
  // One code stands for both of these.
  if (status?.reason === "AlreadyExists") return new KubeError("AlreadyExists", message);
  const given = status?.code;
  return new KubeError(byCode[typeof given === "number" ? given : code] ?? "InternalError", message);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
