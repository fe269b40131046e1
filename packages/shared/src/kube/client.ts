import type { Kind, KubeObject, ObjectRef, Stored } from "./object.ts";

/** Reasons of a Kubernetes Status that clients tell apart. */
export type KubeErrorReason =
  | "BadRequest"
  | "Unauthorized"
  | "Forbidden"
  | "NotFound"
  | "AlreadyExists"
  | "Conflict"
  | "Invalid"
  | "Expired"
  | "MethodNotAllowed"
  | "NotAcceptable"
  | "UnsupportedMediaType"
  | "RequestEntityTooLarge"
  | "TooManyRequests"
  | "ServiceUnavailable"
  | "Timeout"
  | "InternalError";

const statusOf = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const satisfies Record<KubeErrorReason, number>;

/** One thing wrong with an object: `field` is the path (`metadata.name`), `message` says what and why. P-35. */
export interface StatusCause {
  readonly reason:
    | "FieldValueRequired"
    | "FieldValueInvalid"
    | "FieldValueNotSupported"
    | "FieldValueForbidden"
    | "FieldValueDuplicate"
    | "FieldValueNotFound"
    | "FieldValueTooLong"
    | "FieldValueTypeInvalid"
    | "FieldManagerConflict"
    | "NamespaceTerminating"
    | "ResourceVersionTooLarge";
  readonly message: string;
  readonly field?: string;
}

/** `details` of a Status: which object it is about and, when invalid, everything that is wrong with it. P-30. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  /** The resource (`configmaps`), or the kind (`ConfigMap`) when the reason is Invalid. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  /** When to try again; also the `Retry-After` header of the answer. */
  readonly retryAfterSeconds?: number;
}

/** What an API call failed with: a Kubernetes Status. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly reason: KubeErrorReason;
  readonly details: StatusDetails | undefined;

  constructor(reason: KubeErrorReason, message: string, details?: StatusDetails) {
    super(message);
    this.reason = reason;
    this.details = details;
  }

  get code(): number {
    return statusOf[this.reason];
  }
}

export function isKubeError(error: unknown, reason: KubeErrorReason): error is KubeError {
  return error instanceof KubeError && error.reason === reason;
}

/** `labelSelector` in its text form: `a=b,c!=d,e in (f,g),h,!i`. No namespace means all of them. */
export interface ListQuery {
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** `metadata.name=…` and `metadata.namespace=…`, comma-separated. */
  readonly fieldSelector?: string;
}

export interface ObjectList<T extends KubeObject> {
  readonly items: readonly Stored<T>[];
  /** Where a watch has to begin to miss nothing. */
  readonly resourceVersion: string;
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: Stored<T> }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

export interface WatchSink<T extends KubeObject> {
  event(event: WatchEvent<T>): void;
  /** The watch is over. `Expired`: what was asked for is no longer kept, list again. `undefined`: it was disposed. */
  closed(reason: KubeError | undefined): void;
}

export type JsonPatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move" | "copy"; readonly from: string; readonly path: string };

export type Patch =
  | { readonly kind: "json"; readonly operations: readonly JsonPatchOperation[] }
  | { readonly kind: "merge"; readonly body: unknown };

export type Subresource = "status" | "scale";

export interface DeleteOptions {
  readonly propagation?: "Background" | "Foreground" | "Orphan";
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** Only pods are deleted gracefully: 0 removes at once, absent means the pod's own grace period. */
  readonly gracePeriodSeconds?: number;
}

/**
 * The Kubernetes API, as every component uses it: the embedded home's own store or a real cluster behind it.
 * Every call rejects with `KubeError`. Returned objects are frozen and may be shared.
 */
export interface KubeClient {
  /** @throws KubeError `NotFound` */
  get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<Stored<T>>;
  list<T extends KubeObject>(kind: Kind<T>, query?: ListQuery): Promise<ObjectList<T>>;
  /** Reports every change after `resourceVersion`, in order, until disposed or closed. Events come asynchronously. */
  watch<T extends KubeObject>(
    kind: Kind<T>,
    query: ListQuery & { readonly resourceVersion: string },
    sink: WatchSink<T>,
  ): Disposable;
  /** Status is ignored. @throws KubeError `AlreadyExists`, `Invalid` */
  create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>>;
  /**
   * Replaces all but the status. With `metadata.resourceVersion` only if that is the stored one.
   * @throws KubeError `NotFound`, `Conflict`, `Invalid`
   */
  update<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>>;
  /** Replaces the status alone; everything else in `object` but its name and resourceVersion is ignored. */
  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<Stored<T>>;
  /** Without a subresource, changes to status are ignored; with `status`, changes to all else. */
  patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    patch: Patch,
    subresource?: Subresource,
  ): Promise<Stored<T>>;
  /** @throws KubeError `NotFound`, `Conflict` when a precondition fails */
  delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
}
