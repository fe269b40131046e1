import {
  type AnyObject,
  ConfigurationKind,
  DomainMappingKind,
  type FieldError,
  fieldErrors,
  type Kind,
  KnativeServiceKind,
  type KubeObject,
  annotations as keys,
  RouteKind,
  semanticEqual,
} from "@rouse/shared";

/**
 * Notes who made an object and who last changed its spec. For what people write: a Configuration or Route that belongs
 * to a Service says what the Service says. C-145
 */
export function withAuthors<T extends AnyObject>(
  kind: Kind<KubeObject>,
  object: T,
  { before, user }: { readonly before: AnyObject | undefined; readonly user: string },
): T {
  if (!hasAuthors(kind, object)) return object;
  const note = (authors: Readonly<Record<string, string>>): T => ({
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...authors } },
  });
  if (before === undefined) return note({ [keys.creator]: user, [keys.lastModifier]: user });
  return semanticEqual(before.spec, object.spec) ? object : note({ [keys.lastModifier]: user });
}

/** The one who made an object stays, and the one who changed it until the next change. C-145 */
export function validateAuthors(object: AnyObject, before: AnyObject | undefined): readonly FieldError[] {
  if (before === undefined) return [];
  const isSame = (key: string): boolean =>
    before.metadata.annotations?.[key] === object.metadata.annotations?.[key];
  const refuse = (key: string): FieldError =>
    fieldErrors.text("annotation value is immutable", `metadata.annotations.${key}`);
  const errors: FieldError[] = [];
  if (before.metadata.annotations?.[keys.creator] !== undefined && !isSame(keys.creator)) {
    errors.push(refuse(keys.creator));
  }
  const wasModified = before.metadata.annotations?.[keys.lastModifier] !== undefined;
  if (wasModified && !isSame(keys.lastModifier) && semanticEqual(before.spec, object.spec)) {
    errors.push(refuse(keys.lastModifier));
  }
  return errors;
}

function hasAuthors(kind: Kind<KubeObject>, { metadata }: AnyObject): boolean {
  switch (kind) {
    case KnativeServiceKind:
    case DomainMappingKind:
      return true;
    case ConfigurationKind:
    case RouteKind:
      return (metadata.ownerReferences ?? []).length === 0;
    default:
      return false;
  }
}
