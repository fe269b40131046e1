import type { StatusCause } from "../client.ts";
import { isBuiltIn } from "../kinds/registry.ts";
import type { Kind, KubeObject } from "../object.ts";
import { invalidValue } from "./errors.ts";
import { isJsonMap, type JsonMap } from "./stored-object.ts";

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const SUBDOMAIN_LENGTH_MAX = 253;
const LABEL_LENGTH_MAX = 63;
const ANNOTATIONS_BYTES_MAX = 256 * 1024;

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED_TEXT =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(["foregroundDeletion", "orphan", "kubernetes"]);

/**
 * What Kubernetes refuses in metadata, with its texts: names, labels, annotations, finalizers, owner references.
 * Takes what a client sent, so nothing is trusted to have its type. P-45, P-46.
 */
export function validateMetadata(kind: Kind<KubeObject>, metadata: JsonMap): readonly StatusCause[] {
  return [
    ...validateName(kind, metadata.name),
    ...validateLabels(metadata.labels),
    ...validateAnnotations(metadata.annotations),
    ...validateFinalizers(kind, metadata.finalizers),
    ...validateOwners(metadata.ownerReferences),
  ];
}

function validateName(kind: Kind<KubeObject>, name: unknown): readonly StatusCause[] {
  const field = "metadata.name";
  if (name === undefined || name === "") {
    return [
      { reason: "FieldValueRequired", message: "Required value: name or generateName is required", field },
    ];
  }
  if (typeof name !== "string") return [invalidValue(field, name, "must be a string")];
  const isLabel = kind.group === "" && (kind.kind === "Namespace" || kind.kind === "Service");
  const lengthMax = isLabel ? LABEL_LENGTH_MAX : SUBDOMAIN_LENGTH_MAX;
  return [
    ...(name.length > lengthMax
      ? [invalidValue(field, name, `must be no more than ${lengthMax} ${isLabel ? "bytes" : "characters"}`)]
      : []),
    ...((isLabel ? LABEL : SUBDOMAIN).test(name)
      ? []
      : [invalidValue(field, name, isLabel ? LABEL_TEXT : SUBDOMAIN_TEXT)]),
  ];
}

function validateLabels(labels: unknown): readonly StatusCause[] {
  const field = "metadata.labels";
  return entriesOf(labels, field, (key, value) => [
    ...validateQualifiedName(field, key),
    ...(value.length > LABEL_LENGTH_MAX
      ? [invalidValue(field, value, `must be no more than ${LABEL_LENGTH_MAX} bytes`)]
      : []),
    ...(value === "" || QUALIFIED.test(value) ? [] : [invalidValue(field, value, LABEL_VALUE_TEXT)]),
  ]);
}

function validateAnnotations(annotations: unknown): readonly StatusCause[] {
  const field = "metadata.annotations";
  let bytes = 0;
  const causes = entriesOf(annotations, field, (key, value) => {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
    return validateQualifiedName(field, key.toLowerCase());
  });
  if (bytes <= ANNOTATIONS_BYTES_MAX) return causes;
  const message = `Too long: may not be more than ${ANNOTATIONS_BYTES_MAX} bytes`;
  return [...causes, { reason: "FieldValueTooLong", message, field }];
}

/** `name` or `prefix/name`, as label keys, annotation keys and finalizers are. */
function validateQualifiedName(field: string, text: string): readonly StatusCause[] {
  const [name = "", prefix, ...more] = text.split("/").reverse();
  if (more.length > 0) return [invalidValue(field, text, QUALIFIED_TEXT)];
  return [
    ...(prefix === undefined || (SUBDOMAIN.test(prefix) && prefix.length <= SUBDOMAIN_LENGTH_MAX)
      ? []
      : [invalidValue(field, text, `prefix part ${SUBDOMAIN_TEXT}`)]),
    ...(name === "" ? [invalidValue(field, text, "name part must be non-empty")] : []),
    ...(name.length > LABEL_LENGTH_MAX
      ? [invalidValue(field, text, `name part must be no more than ${LABEL_LENGTH_MAX} bytes`)]
      : []),
    ...(QUALIFIED.test(name) ? [] : [invalidValue(field, text, QUALIFIED_TEXT)]),
  ];
}

function validateFinalizers(kind: Kind<KubeObject>, finalizers: unknown): readonly StatusCause[] {
  return itemsOf(finalizers, "metadata.finalizers", (finalizer, field) => {
    if (typeof finalizer !== "string") return [invalidValue(field, finalizer, "must be a string")];
    const causes = validateQualifiedName(field, finalizer);
    if (causes.length > 0) return causes;
    // Custom resources may carry unqualified ones; on compiled-in kinds they would clash with later standard names.
    const isKnown = finalizer.includes("/") || STANDARD_FINALIZERS.has(finalizer) || !isBuiltIn(kind);
    const why = "name is neither a standard finalizer name nor is it fully qualified";
    return isKnown ? [] : [invalidValue(field, finalizer, why)];
  });
}

function validateOwners(owners: unknown): readonly StatusCause[] {
  const field = "metadata.ownerReferences";
  const causes = itemsOf(owners, field, (owner) => {
    if (!isJsonMap(owner)) return [invalidValue(field, owner, "must be an object")];
    return ["apiVersion", "kind", "name", "uid"]
      .filter((member) => typeof owner[member] !== "string" || owner[member] === "")
      .map((member) => invalidValue(`${field}.${member}`, owner[member] ?? "", "must not be empty"));
  });
  if (!Array.isArray(owners)) return causes;
  const [first, second] = owners.filter((owner) => isJsonMap(owner) && owner.controller === true);
  if (first === undefined || second === undefined) return causes;
  const why = `Only one reference can have Controller set to true. Found "true" in references for ${first.kind}/${first.name} and ${second.kind}/${second.name}`;
  return [...causes, invalidValue(field, owners, why)];
}

function entriesOf(
  map: unknown,
  field: string,
  check: (key: string, value: string) => readonly StatusCause[],
): readonly StatusCause[] {
  if (map === undefined) return [];
  if (!isJsonMap(map)) return [invalidValue(field, map, "must be a map of strings")];
  return Object.entries(map).flatMap(([key, value]) =>
    typeof value === "string"
      ? check(key, value)
      : [invalidValue(`${field}[${key}]`, value, "must be a string")],
  );
}

function itemsOf(
  list: unknown,
  field: string,
  check: (item: unknown, itemField: string) => readonly StatusCause[],
): readonly StatusCause[] {
  if (list === undefined) return [];
  if (!Array.isArray(list)) return [invalidValue(field, list, "must be a list")];
  return list.flatMap((item, index) => check(item, `${field}[${index}]`));
}
