/** The object model every component shares. Objects from a `KubeClient` are frozen: change a copy. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Which fields of an object one writer owns, in the form of the API. P-54 */
export interface ManagedFields {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly time?: string;
  readonly fieldsType: "FieldsV1";
  readonly fieldsV1: Readonly<Record<string, unknown>>;
  readonly subresource?: string;
}

export interface ObjectMeta {
  readonly name: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  /** Kept for clients of the API; components of this program own nothing. */
  readonly managedFields?: readonly ManagedFields[];
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** What the API always fills in. */
export interface StoredMeta extends ObjectMeta {
  /** `""` for objects of no namespace. */
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly creationTimestamp: string;
}

/** An object as the API returns it. */
export type Stored<T extends KubeObject> = Omit<T, "metadata"> & { readonly metadata: StoredMeta };

/** Describes one kind: its place in the API, and (through `T`) the shape of its objects. */
export interface Kind<T extends KubeObject> {
  /** `""` for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
  /** Whether status is written apart from spec, through the status subresource. */
  readonly hasStatus: boolean;
  /** Never set: carries the type. */
  readonly object?: T;
}

export interface ObjectRef {
  /** `""` for objects of no namespace. */
  readonly namespace: string;
  readonly name: string;
}

/** `namespace/name`: the key of caches and queues. */
export type ObjectKey = string & { readonly is: "object-key" };

export function objectKey(ref: { readonly namespace?: string; readonly name: string }): ObjectKey {
  return `${ref.namespace ?? ""}/${ref.name}` as ObjectKey;
}

export function objectRef(key: ObjectKey): ObjectRef {
  const slash = key.indexOf("/");
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** `group/version`, or `version` alone in the core group. */
export function apiVersion(kind: { readonly group: string; readonly version: string }): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}

/** A reference that makes `owner` the one controller of what carries it. C-6. */
export function controllerOf(
  owner: KubeObject & { readonly metadata: { readonly uid: string } },
): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Whether `owner` is the controller of `object`, by uid. C-7. */
export function isControlledBy(
  object: KubeObject,
  owner: { readonly metadata: { readonly uid: string } },
): boolean {
  return (object.metadata.ownerReferences ?? []).some(
    (reference) => reference.controller === true && reference.uid === owner.metadata.uid,
  );
}
