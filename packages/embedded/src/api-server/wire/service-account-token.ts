import {
  type Clock,
  memberAt,
  type ObjectStore,
  type Random,
  rfc3339,
  uuidV4,
  type WallMs,
} from "@rouse/shared";
import { type Answer, json } from "./answer.ts";
import { type Body, readAny } from "./read-body.ts";
import type { ObjectTarget } from "./request-target.ts";

const SECONDS_DEFAULT = 3_600;

/** A token nobody checks: whoever reaches this API is its one user already. P-23 @throws KubeError */
export function answerTokenRequest(
  deps: { readonly store: ObjectStore; readonly clock: Clock; readonly random: Random },
  { resource, namespace, name }: ObjectTarget,
  body: Body,
): Answer {
  const sent = readAny("TokenRequest", body);
  const { uid } = deps.store.get(resource.storedAs, { namespace, name }).metadata;
  const seconds = memberAt(sent, "spec.expirationSeconds");
  const expirationSeconds = typeof seconds === "number" ? seconds : SECONDS_DEFAULT;
  const now = deps.clock.wall();
  const request = {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: { name, namespace, uid, creationTimestamp: rfc3339(now) },
    spec: { audiences: ["https://kubernetes.default.svc"], expirationSeconds, boundObjectRef: null },
    status: {
      token: uuidV4(deps.random),
      expirationTimestamp: rfc3339((now + expirationSeconds * 1_000) as WallMs),
    },
  };
  return json(request, { status: 201 });
}
