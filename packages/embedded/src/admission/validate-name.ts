import { type FieldError, fieldErrors } from "@rouse/shared";

/** DNS-1035: what may be the name of a Service, Configuration, Route or Revision, and a tag. */
export const DNS_LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
export const dnsLabelText =
  "a DNS-1035 label must consist of at most 63 lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
/** DNS-1123, as the names of volumes. */
export const DNS_1123_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
export const DNS_1123_SUBDOMAIN =
  /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** An object's own name; one still to be generated is checked by its prefix. */
export function validateName(metadata: {
  readonly name?: string;
  readonly generateName?: string;
}): readonly FieldError[] {
  const { name, generateName } = metadata;
  if (name)
    return DNS_LABEL.test(name)
      ? []
      : [fieldErrors.text(`not a DNS 1035 label: ${dnsLabelText}`, "metadata.name")];
  if (generateName) {
    const isLabel = DNS_LABEL.test(`${generateName.slice(0, 58)}x`);
    return isLabel
      ? []
      : [fieldErrors.text(`not a DNS 1035 label prefix: ${dnsLabelText}`, "metadata.generateName")];
  }
  return [];
}

/** A template's name begins with its parent's, so that revisions of different services never clash. §14.4 */
export function validateTemplateName(
  name: string | undefined,
  parent: { readonly name?: string; readonly generateName?: string },
): readonly FieldError[] {
  const path = "spec.template.metadata.name";
  if (!name) return [];
  if (!DNS_LABEL.test(name)) return [fieldErrors.text(`not a DNS 1035 label: ${dnsLabelText}`, path)];
  if (parent.generateName && !parent.name) return [fieldErrors.disallowed(path)];
  const prefix = `${parent.name ?? ""}-`;
  if (name.startsWith(prefix)) return [];
  return [
    fieldErrors.text(
      `invalid value: ${JSON.stringify(name)} must have prefix ${JSON.stringify(prefix)}`,
      path,
    ),
  ];
}
