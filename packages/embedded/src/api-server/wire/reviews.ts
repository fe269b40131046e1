import type { JsonMap } from "@rouse/shared";
import { normalizeMessage } from "../built-in/normalize.ts";
import type { ReviewResource } from "./api-resource.ts";

/** Whoever may ask may do everything: there is one user. P-22 */
export function answerReview({ kind, group, version }: ReviewResource, sent: JsonMap): unknown {
  const spec = normalizeMessage(kind, sent).value.spec ?? {};
  const head = { kind, apiVersion: `${group}/${version}`, metadata: {} };
  switch (kind) {
    case "SelfSubjectAccessReview":
      return { ...head, spec, status: { allowed: true } };
    case "SelfSubjectRulesReview":
      return {
        ...head,
        spec: {},
        status: {
          resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
          nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
          incomplete: false,
        },
      };
    default:
      return {
        ...head,
        status: { userInfo: { username: "rouse-admin", uid: "rouse-admin", groups: ["system:masters"] } },
      };
  }
}
