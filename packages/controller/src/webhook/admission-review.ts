import { isJsonMap, type JsonPatchOperation } from "@rouse/shared";

/** What the API asks about one write. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly kind: string;
  /** `""` for objects of no namespace. */
  readonly namespace: string;
  readonly operation: string;
  /** As it is to be stored; `undefined` when it is deleted. */
  readonly object: unknown;
}

/** What it is told. */
export type Verdict =
  | { readonly kind: "allow" }
  | { readonly kind: "patch"; readonly operations: readonly JsonPatchOperation[] }
  | { readonly kind: "refuse"; readonly message: string };

export const allow: Verdict = { kind: "allow" };
const REVIEW = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" } as const;

/** `undefined` if it is no AdmissionReview of version 1 with a request. */
export function parseReview(body: unknown): AdmissionRequest | undefined {
  if (!isJsonMap(body) || body.apiVersion !== REVIEW.apiVersion || body.kind !== REVIEW.kind)
    return undefined;
  const { request } = body;
  if (!isJsonMap(request) || typeof request.uid !== "string" || !isJsonMap(request.kind)) return undefined;
  const { kind } = request.kind;
  return {
    uid: request.uid,
    kind: typeof kind === "string" ? kind : "",
    namespace: typeof request.namespace === "string" ? request.namespace : "",
    operation: typeof request.operation === "string" ? request.operation : "",
    object: request.object ?? undefined,
  };
}

/** The review that answers it, as JSON. */
export function answerReview(uid: string, verdict: Verdict): string {
  return JSON.stringify({ ...REVIEW, response: { uid, ...response(verdict) } });
}

function response(verdict: Verdict): object {
  switch (verdict.kind) {
    case "allow":
      return { allowed: true };
    case "patch": {
      const patch = Buffer.from(JSON.stringify(verdict.operations)).toString("base64");
      return { allowed: true, patchType: "JSONPatch", patch };
    }
    case "refuse":
      return { allowed: false, status: { code: 422, reason: "Invalid", message: verdict.message } };
  }
}
