import { type AnyObject, type FieldError, fieldErrors } from "@rouse/shared";

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const FQDN_LENGTH_MAX = 253;
const CLUSTER_DOMAIN = "cluster.local";

/** A DomainMapping whose reference says its namespace. §14.2 */
export function defaultDomainMapping<T extends AnyObject>(object: T): T {
  const ref = refOf(object);
  if (text(ref, "namespace") !== "") return object;
  const spec = typeof object.spec === "object" ? object.spec : {};
  return { ...object, spec: { ...spec, ref: { ...ref, namespace: object.metadata.namespace } } };
}

/** What is wrong with a DomainMapping. C-133 */
export function validateDomainMapping(object: AnyObject): readonly FieldError[] {
  const { name = "", generateName, namespace = "" } = object.metadata;
  const ref = refOf(object);
  const errors: FieldError[] = [];
  if (generateName !== undefined && generateName !== "") {
    errors.push(fieldErrors.disallowed("metadata.generateName"));
  }
  if (name !== "") errors.push(...validateDomain(name));
  for (const field of ["name", "kind", "apiVersion"]) {
    if (text(ref, field) === "") errors.push(fieldErrors.missing(`spec.ref.${field}`));
  }
  if (Object.hasOwn(ref, "group")) errors.push(fieldErrors.disallowed("spec.ref.group"));
  const given = text(ref, "namespace");
  if (given !== "" && given !== namespace) {
    const details = `the reference must be to namespace ${JSON.stringify(namespace)}, the mapping's own`;
    errors.push({ ...fieldErrors.invalid(given, "spec.ref.namespace"), details });
  }
  return errors;
}

function validateDomain(name: string): readonly FieldError[] {
  const parts = name.split(".");
  const isDomain = name.length <= FQDN_LENGTH_MAX && parts.every((part) => DNS_LABEL.test(part));
  if (!isDomain) return [fieldErrors.invalid(name, "metadata.name")];
  if (parts.length < 2) {
    const details = "should be a domain with at least two segments separated by dots";
    return [{ ...fieldErrors.invalid(name, "metadata.name"), details }];
  }
  if (name === CLUSTER_DOMAIN || name.endsWith(`.${CLUSTER_DOMAIN}`)) {
    const details = `must not be a subdomain of cluster local domain "${CLUSTER_DOMAIN}"`;
    return [{ ...fieldErrors.invalid(name, "metadata.name"), details }];
  }
  return [];
}

function refOf({ spec }: AnyObject): object {
  const ref: unknown = typeof spec === "object" && spec !== null ? Reflect.get(spec, "ref") : undefined;
  return typeof ref === "object" && ref !== null ? ref : {};
}

function text(of: object, name: string): string {
  const value: unknown = Reflect.get(of, name);
  return typeof value === "string" ? value : "";
}
