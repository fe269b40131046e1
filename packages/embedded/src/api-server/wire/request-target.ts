import {
  type ApiResource,
  findResource,
  groupVersions,
  type ReviewResource,
  reviewResources,
} from "./api-resource.ts";

/** What the path of a request is about. */
export type Target =
  | {
      readonly kind: "collection";
      readonly resource: ApiResource;
      /** Absent: all of them. */
      readonly namespace: string | undefined;
      /** By the old path prefix, or by a name with `watch=true`. P-110 */
      readonly isWatch: boolean;
    }
  | {
      readonly kind: "object";
      readonly resource: ApiResource;
      /** `""` for objects of no namespace. */
      readonly namespace: string;
      readonly name: string;
      readonly subresource: string | undefined;
      readonly isWatch: boolean;
    }
  | { readonly kind: "review"; readonly resource: ReviewResource }
  /** A group-version without more, a list of them, health, version. */
  | { readonly kind: "document"; readonly path: string }
  /** A resource nobody knows in a group-version that there is: a Status says so. P-6 */
  | { readonly kind: "no-such-resource" }
  | { readonly kind: "no-such-object"; readonly resource: ApiResource; readonly name: string }
  | { readonly kind: "no-such-path" }
  /** Ways into a pod that there are not here. P-88 */
  | { readonly kind: "not-served"; readonly subresource: string };

const INTO_PODS: ReadonlySet<string> = new Set(["exec", "attach", "portforward", "proxy"]);

export type ObjectTarget = Extract<Target, { kind: "object" }>;
export type CollectionTarget = Extract<Target, { kind: "collection" }>;

/** Slashes at the end and twice in a row do not count. P-5 */
export function parseTarget(path: string): Target {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    const text = decode(part);
    if (text === undefined) return { kind: "no-such-path" };
    if (text !== "") parts.push(text);
  }
  const isCore = parts[0] === "api";
  if (!isCore && parts[0] !== "apis") return { kind: "document", path: `/${parts.join("/")}` };
  const versionParts = isCore ? 1 : 2;
  const version = parts.slice(1, 1 + versionParts).join("/");
  const rest = parts.slice(1 + versionParts);
  if (rest.length === 0) return { kind: "document", path: `/${parts.join("/")}` };
  if (!groupVersions().includes(version)) return { kind: "no-such-path" };
  return rest[0] === "watch" ? inVersion(version, rest.slice(1), true) : inVersion(version, rest, false);
}

function inVersion(version: string, rest: readonly string[], isWatch: boolean): Target {
  const review = reviewResources.find(
    ({ group, version: of, plural }) => `${group}/${of}` === version && plural === rest[0],
  );
  if (review !== undefined && rest.length === 1) return { kind: "review", resource: review };
  // `/namespaces/n` is the namespace itself, as are its subresources; anything else after it is in that namespace.
  const isInNamespace =
    rest[0] === "namespaces" &&
    rest.length > 2 &&
    !(rest.length === 3 && (rest[2] === "status" || rest[2] === "finalize"));
  const namespace = isInNamespace ? rest[1] : undefined;
  const [plural = "", name, subresource, ...more] = isInNamespace ? rest.slice(2) : rest;
  const resource = findResource(version, plural);
  if (resource === undefined || more.length > 0) return { kind: "no-such-resource" };
  const { isNamespaced } = resource.kind;
  if (isInNamespace && !isNamespaced) return { kind: "no-such-resource" };
  if (name === undefined) return { kind: "collection", resource, namespace, isWatch };
  if (isNamespaced && namespace === undefined) return { kind: "no-such-resource" };
  if (resource.kind.kind === "Pod" && subresource !== undefined && INTO_PODS.has(subresource)) {
    return { kind: "not-served", subresource };
  }
  if (subresource !== undefined && !resource.subresources.some((known) => known === subresource)) {
    // A custom resource without that subresource is as good as an object that is not there.
    const isCustom = resource.message === undefined && (subresource === "scale" || subresource === "status");
    return isCustom ? { kind: "no-such-object", resource, name } : { kind: "no-such-resource" };
  }
  return { kind: "object", resource, namespace: namespace ?? "", name, subresource, isWatch };
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
