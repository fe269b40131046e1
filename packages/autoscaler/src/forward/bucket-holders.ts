/** Who decides for the revisions of a bucket. */
export type Holder =
  /** This process. */
  | { readonly kind: "local" }
  /** Another one; `urls` are tried in order. */
  | { readonly kind: "remote"; readonly urls: readonly string[] };

/** Who holds each bucket now: by Leases, or by the ordinals of a StatefulSet. */
export interface BucketHolders {
  /** `undefined` while nobody is known to. */
  holder(bucket: string): Holder | undefined;
}
