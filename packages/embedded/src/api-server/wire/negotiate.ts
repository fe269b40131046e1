import { KubeError } from "@rouse/shared";

/** In which form a client wants an answer. P-33 */
export type Form =
  | { readonly kind: "object"; readonly isYaml: boolean }
  /** P-120. */
  | { readonly kind: "table"; readonly version: "v1" | "v1beta1" }
  /** Metadata alone. P-123 */
  | { readonly kind: "partial"; readonly isList: boolean }
  /** P-13. */
  | { readonly kind: "aggregated-discovery" };

interface MediaType {
  readonly type: string;
  readonly as: string | undefined;
  readonly version: string | undefined;
}

const JSON_TYPES: ReadonlySet<string> = new Set(["", "*/*", "application/*", "application/json"]);
const NOT_ACCEPTABLE =
  "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
const ACCEPTED =
  "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";

/** The first form of the `Accept` list that there is. @throws KubeError `NotAcceptable` */
export function negotiate(accept: string | undefined, allows: { readonly discovery?: boolean } = {}): Form {
  for (const part of (accept ?? "").split(",")) {
    const form = formOf(parse(part), allows.discovery ?? false);
    if (form !== undefined) return form;
  }
  throw /;\s*as=/.test(accept ?? "") ? noSuchForm() : new KubeError("NotAcceptable", NOT_ACCEPTABLE, {});
}

/** A form of the media type that there is not for this object. */
export function noSuchForm(): KubeError {
  return new KubeError("NotAcceptable", ACCEPTED);
}

function formOf({ type, as, version }: MediaType, isDiscovery: boolean): Form | undefined {
  if (type === "application/yaml" && as === undefined) return { kind: "object", isYaml: true };
  if (!JSON_TYPES.has(type)) return undefined;
  switch (as) {
    case undefined:
      return { kind: "object", isYaml: false };
    case "Table":
      return version === "v1" || version === "v1beta1" ? { kind: "table", version } : undefined;
    case "PartialObjectMetadata":
    case "PartialObjectMetadataList":
      return { kind: "partial", isList: as === "PartialObjectMetadataList" };
    case "APIGroupDiscoveryList":
      return isDiscovery && version === "v2" ? { kind: "aggregated-discovery" } : undefined;
    default:
      return undefined;
  }
}

function parse(text: string): MediaType {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim());
  const values = new Map(
    parameters.map((parameter): [string, string] => {
      const [name = "", value = ""] = parameter.split("=");
      return [name, value];
    }),
  );
  return { type: type.toLowerCase(), as: values.get("as"), version: values.get("v") };
}
