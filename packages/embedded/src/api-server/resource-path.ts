import { allKinds, type Kind, type KubeObject, type Subresource } from "@rouse/shared";

/** What an API path is about. */
export type ResourcePath =
  | {
      readonly kind: "collection";
      readonly resource: Kind<KubeObject>;
      /** Absent: all of them. */
      readonly namespace: string | undefined;
    }
  | {
      readonly kind: "object";
      readonly resource: Kind<KubeObject>;
      /** `""` for objects of no namespace. */
      readonly namespace: string;
      readonly name: string;
      readonly subresource: Subresource | undefined;
    };

const byPath = new Map(
  allKinds.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind] as const),
);

/**
 * Reads `/api/v1/…` and `/apis/<group>/<version>/…`, slashes at the end and twice in a row aside (P-5). `undefined`
 * for anything that is no resource here.
 */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  const decoded = parts.map(decode);
  if (decoded.includes(undefined)) return undefined;
  const [root, ...rest] = decoded.map((part) => part ?? "");
  if (root === "api") return parseRest("", rest);
  if (root === "apis") return parseRest(rest[0] ?? "", rest.slice(1));
  return undefined;
}

function parseRest(group: string, [version = "", ...rest]: readonly string[]): ResourcePath | undefined {
  // `/namespaces/n` is the namespace itself; anything after it is something in that namespace.
  const isInNamespace = rest[0] === "namespaces" && rest.length > 2;
  const namespace = isInNamespace ? rest[1] : undefined;
  const [plural = "", name, subresource, ...more] = isInNamespace ? rest.slice(2) : rest;
  const resource = byPath.get(`${group}/${version}/${plural}`);
  if (resource === undefined || more.length > 0 || (isInNamespace && !resource.isNamespaced))
    return undefined;
  if (name === undefined) return { kind: "collection", resource, namespace };
  if (resource.isNamespaced && namespace === undefined) return undefined;
  if (subresource !== undefined && subresource !== "status" && subresource !== "scale") return undefined;
  return { kind: "object", resource, namespace: namespace ?? "", name, subresource };
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
