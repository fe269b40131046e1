import { type HeadFields, headers } from "@rouse/shared";

/** By which of a service's names a request came, as a label. Q-28, V-9 */
export function routeTag(request: HeadFields): string {
  const tag = request.get(headers.tag) ?? "";
  const isDefault = request.get(headers.defaultRoute) ?? "";
  if (tag === "") return isDefault === "" ? "kn:disabled" : "kn:default";
  return isDefault === "true" ? "kn:undefined" : tag;
}

/** The same in the words of releases up to 1.18. */
export function oldRouteTag(tag: string): string {
  switch (tag) {
    case "kn:disabled":
      return "DISABLED";
    case "kn:default":
      return "DEFAULT";
    case "kn:undefined":
      return "UNDEFINED";
    default:
      return tag;
  }
}
