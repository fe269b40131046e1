import { apiVersion, type Kind, KubeError, type KubeObject, type Patch } from "@rouse/shared";

/** Reads a JSON object sent to a path. What the path says may be left out of the body, not contradicted (P-30). */
export function parseObject(
  kind: Kind<KubeObject>,
  text: string,
  path: { readonly namespace: string; readonly name?: string },
): KubeObject {
  const body = parseJson(text);
  if (!isRecord(body)) throw unreadable(kind, "the body is no JSON object");
  const { apiVersion: version = apiVersion(kind), kind: kindName = kind.kind, metadata } = body;
  if (version !== apiVersion(kind) || kindName !== kind.kind) {
    throw unreadable(kind, `the body is a ${String(kindName)} of ${String(version)}`);
  }
  if (!isRecord(metadata)) throw unreadable(kind, "metadata is missing");
  const name = metadata.name ?? path.name ?? "";
  if (path.name !== undefined && name !== path.name) {
    throw new KubeError(
      "BadRequest",
      `the name of the object (${String(name)}) does not match the name on the URL (${path.name})`,
    );
  }
  const namespace = metadata.namespace ?? path.namespace;
  if (path.namespace !== "" && namespace !== path.namespace) {
    throw new KubeError(
      "BadRequest",
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  }
  if (typeof name !== "string" || typeof namespace !== "string") {
    throw unreadable(kind, "metadata.name and metadata.namespace are texts");
  }
  return {
    ...body,
    apiVersion: apiVersion(kind),
    kind: kind.kind,
    metadata: { ...metadata, name, ...(kind.isNamespaced ? { namespace } : {}) },
  };
}

/** @throws KubeError `UnsupportedMediaType` for the patch types not served yet, `BadRequest` */
export function parsePatch(contentType: string | undefined, text: string): Patch {
  const mediaType = contentType?.split(";")[0]?.trim().toLowerCase();
  switch (mediaType) {
    case "application/merge-patch+json":
      return { kind: "merge", body: parseJson(text) };
    case "application/json-patch+json": {
      const operations = parseJson(text);
      if (!Array.isArray(operations))
        throw new KubeError("BadRequest", "a JSON patch is a list of operations");
      return { kind: "json", operations };
    }
    default:
      throw new KubeError("UnsupportedMediaType", "415: Unsupported Media Type");
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new KubeError("BadRequest", `the body is no JSON: ${String(error)}`);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unreadable(kind: Kind<KubeObject>, why: string): KubeError {
  return new KubeError(
    "BadRequest",
    `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${why}`,
  );
}
