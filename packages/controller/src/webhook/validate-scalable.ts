import { type FieldError, fieldErrors, isJsonMap, type JsonMap, memberAt } from "@rouse/shared";

const QUALIFIED = /^(?:[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-_.A-Za-z0-9]*[A-Za-z0-9])?$/;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const NAME = /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/;

const forms = { apiVersion: QUALIFIED, kind: IDENTIFIER, name: NAME } as const;

/** What `spec.<field>` must be: something scalable, by apiVersion, kind and name, and nothing more. S-18, K-11 */
export function scalableErrors(
  object: JsonMap,
  field: "scaleTargetRef" | "objectRef",
): readonly FieldError[] {
  const path = `spec.${field}`;
  const reference = memberAt(object, path);
  const others = isJsonMap(reference)
    ? Object.keys(reference).filter((member) => !Object.hasOwn(forms, member))
    : [];
  return [
    ...Object.entries(forms).flatMap(([member, form]) => {
      const value = memberAt(object, `${path}.${member}`);
      if (typeof value !== "string" || value === "") return [fieldErrors.missing(`${path}.${member}`)];
      return form.test(value) ? [] : [fieldErrors.invalid(value, `${path}.${member}`)];
    }),
    ...others.map((member) => fieldErrors.disallowed(`${path}.${member}`)),
  ];
}
