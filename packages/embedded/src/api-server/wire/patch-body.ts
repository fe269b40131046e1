import {
  applyJsonPatch,
  applyMergePatch,
  badRequest,
  isJsonMap,
  type JsonMap,
  type JsonPatchOperation,
  KubeError,
} from "@rouse/shared";
import { applyStrategicMerge } from "../built-in/strategic-merge.ts";
import type { ApiResource } from "./api-resource.ts";
import type { Body } from "./read-body.ts";

/** A patch as it came, read but not applied. */
export type PatchBody =
  | { readonly kind: "json"; readonly operations: readonly JsonPatchOperation[] }
  | { readonly kind: "merge" | "strategic"; readonly patch: JsonMap };

/** P-54. */
export function isApplyPatch({ contentType }: Body): boolean {
  return contentType?.split(";")[0]?.trim().toLowerCase() === "application/apply-patch+yaml";
}

const CUSTOM_TYPES =
  "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

/** P-51…P-53. @throws KubeError `UnsupportedMediaType`, `BadRequest` */
export function readPatch({ message }: ApiResource, { contentType, bytes }: Body): PatchBody {
  const type = contentType?.split(";")[0]?.trim().toLowerCase();
  const text = bytes.toString("utf8");
  switch (type) {
    case "application/json-patch+json": {
      const operations = parse(text);
      if (!Array.isArray(operations))
        throw badRequest("error decoding patch: a JSON patch is a list of operations");
      return { kind: "json", operations };
    }
    case "application/merge-patch+json":
      return { kind: "merge", patch: mapOf(parse(text)) };
    case "application/strategic-merge-patch+json":
      if (message !== undefined) return { kind: "strategic", patch: mapOf(parse(text)) };
      throw new KubeError("UnsupportedMediaType", CUSTOM_TYPES);
    default:
      if (message === undefined) throw new KubeError("UnsupportedMediaType", CUSTOM_TYPES);
      throw new KubeError("UnsupportedMediaType", "415: Unsupported Media Type", {});
  }
}

/** What the patch makes of `document`. @throws KubeError when it does not apply */
export function applyPatchBody(
  patch: PatchBody,
  { message, document }: { readonly message: string | undefined; readonly document: JsonMap },
): unknown {
  switch (patch.kind) {
    case "json":
      try {
        return applyJsonPatch(document, patch.operations);
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        throw new KubeError(error.reason, error.message, {});
      }
    case "merge":
      return applyMergePatch(document, patch.patch);
    case "strategic":
      return applyStrategicMerge(message ?? "", document, patch.patch);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`error decoding patch: ${error instanceof Error ? error.message : "no JSON"}`);
  }
}

function mapOf(value: unknown): JsonMap {
  if (isJsonMap(value)) return value;
  throw badRequest("error decoding patch: a merge patch has to be an object");
}
