import { createHash } from "node:crypto";
import { controllerOf, type Deployment, type Pod, type Random, type Stored } from "@rouse/shared";
import { NODE_NAME } from "../kubelet/node-name.ts";

/** Label by which a pod is known to come from the Deployment's current template; Kubernetes' own. */
export const TEMPLATE_HASH_LABEL = "pod-template-hash";

/** Letters of Kubernetes' generated names: no vowels, nothing that looks like another. */
const SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH = 5;
/** A pod's name is a host name: 63 bytes, suffix and dash included. */
const BASE_LENGTH_MAX = 63 - SUFFIX_LENGTH - 1;

/** Changes whenever the template does, in whatever order its fields are written. */
export function templateHash(deployment: Pick<Deployment, "spec">): string {
  return createHash("sha256").update(canonical(deployment.spec.template)).digest("hex").slice(0, 10);
}

/** A new pod of the Deployment, `<deployment>-<random suffix>`, owned by it and already on the node. ReplicaSets are skipped. */
export function podFromTemplate(deployment: Stored<Deployment>, hash: string, random: Random): Pod {
  const { metadata, spec } = deployment.spec.template;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${deployment.metadata.name.slice(0, BASE_LENGTH_MAX)}-${suffix(random)}`,
      namespace: deployment.metadata.namespace,
      labels: { ...metadata?.labels, [TEMPLATE_HASH_LABEL]: hash },
      ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ownerReferences: [controllerOf(deployment)],
    },
    spec: { restartPolicy: "Always", ...spec, nodeName: NODE_NAME },
  };
}

function suffix(random: Random): string {
  let text = "";
  while (text.length < SUFFIX_LENGTH)
    text += SUFFIX_LETTERS[random.integer(0, SUFFIX_LETTERS.length - 1)] ?? "";
  return text;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join()}}`;
}
