import type { Subresource } from "../client.ts";
import type { Kind, KubeObject } from "../object.ts";
import type { AnyObject, StoredObject } from "./stored-object.ts";

export interface AdmissionRequest {
  readonly operation: "create" | "update";
  readonly subresource: Exclude<Subresource, "scale"> | undefined;
  readonly kind: Kind<KubeObject>;
  /** What would be stored, but for the metadata only the server writes. */
  readonly object: AnyObject;
  /** What is stored now; absent for a create. */
  readonly before: StoredObject | undefined;
}

/** Defaults and checks objects before they are stored. Pure: the same request has the same answer. P-97. */
export interface ObjectAdmission {
  /** The object to store. @throws KubeError when it may not be stored */
  admit(request: AdmissionRequest): AnyObject;
}

/** Takes everything as it is. */
export const admitAll: ObjectAdmission = { admit: ({ object }) => object };
