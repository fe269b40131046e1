import { isJsonMap, type JsonMap } from "@rouse/shared";

/**
 * A set of places in an object, as a tree of path elements in the form of `managedFields` (FieldsV1): `f:name` a member,
 * `k:{"name":"a"}` an element of a list by its keys, `v:"a"` an element of a set by its value. Immutable.
 */
export interface FieldSet {
  /** Whether the place itself belongs to the set, and not only places below it. */
  readonly isMember: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

export const nothing: FieldSet = { isMember: false, children: new Map() };
export const leaf: FieldSet = { isMember: true, children: new Map() };

/** `undefined` children are left out. */
export function fieldSet(
  children: Iterable<readonly [string, FieldSet | undefined]>,
  { isMember = false }: { readonly isMember?: boolean } = {},
): FieldSet {
  const kept = new Map<string, FieldSet>();
  for (const [element, child] of children) {
    if (child !== undefined && !isNothing(child)) kept.set(element, child);
  }
  return { isMember, children: kept };
}

export function isNothing({ isMember, children }: FieldSet): boolean {
  return !isMember && children.size === 0;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isNothing(a)) return b;
  if (isNothing(b)) return a;
  const children = new Map(a.children);
  for (const [element, child] of b.children)
    children.set(element, union(a.children.get(element) ?? nothing, child));
  return { isMember: a.isMember || b.isMember, children };
}

/** What is in `a` and not in `b`. */
export function minus(a: FieldSet, b: FieldSet): FieldSet {
  if (isNothing(b)) return a;
  return fieldSet(
    [...a.children].map(([element, child]) => {
      const other = b.children.get(element);
      return [element, other === undefined ? child : minus(child, other)];
    }),
    { isMember: a.isMember && !b.isMember },
  );
}

/** What is in both. */
export function common(a: FieldSet, b: FieldSet): FieldSet {
  return fieldSet(
    [...a.children].map(([element, child]) => {
      const other = b.children.get(element);
      return [element, other === undefined ? undefined : common(child, other)];
    }),
    { isMember: a.isMember && b.isMember },
  );
}

export function isSameSet(a: FieldSet, b: FieldSet): boolean {
  return isNothing(minus(a, b)) && isNothing(minus(b, a));
}

/** Every place in the set, as the reference writes it: `.spec.containers[name="a"].image`. */
export function pathsOf(set: FieldSet, path = ""): readonly string[] {
  return [
    ...(set.isMember ? [path] : []),
    ...[...set.children].flatMap(([element, child]) => pathsOf(child, path + shown(element))),
  ];
}

/** As `fieldsV1`. */
export function toFieldsV1({ isMember, children }: FieldSet): JsonMap {
  const members = [...children].sort(([a], [b]) => (a < b ? -1 : 1));
  const below = Object.fromEntries(members.map(([element, child]) => [element, toFieldsV1(child)]));
  return isMember && children.size > 0 ? { ".": {}, ...below } : below;
}

/** What a client sent as `fieldsV1`; elements of another form are left out. */
export function fromFieldsV1(value: unknown, depth = 0): FieldSet {
  if (!isJsonMap(value) || depth > DEPTH_MAX) return nothing;
  const elements = Object.entries(value).filter(([name]) => /^[fkvi]:/.test(name));
  return fieldSet(
    elements.map(([name, below]) => [name, fromFieldsV1(below, depth + 1)]),
    { isMember: Object.hasOwn(value, ".") || (depth > 0 && elements.length === 0) },
  );
}

/** As deep as an object may be. */
const DEPTH_MAX = 200;

function shown(element: string): string {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case "k:":
      return `[${Object.entries(keysOf(rest))
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(",")}]`;
    case "v:":
      return `[=${rest}]`;
    case "i:":
      return `[${rest}]`;
    default:
      return `.${rest}`;
  }
}

function keysOf(text: string): JsonMap {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonMap(value) ? value : {};
  } catch {
    return {};
  }
}
