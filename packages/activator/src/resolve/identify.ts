import type { ObjectRef } from "@rouse/shared";

/** What of a request names a revision; absent and empty are the same. */
export interface RevisionHints {
  readonly revision: string;
  readonly namespace: string;
  readonly host: string;
}

/**
 * The revision a request names: by its two headers if both are there, else by a cluster-local Host
 * `<name>.<namespace>.svc.<clusterDomain>`. Names may be empty, when nothing names one..
 */
export function identify({ revision, namespace, host }: RevisionHints, clusterDomain: string): ObjectRef {
  if (revision !== "" && namespace !== "") return { namespace, name: revision };
  const [name = "", hostNamespace = "", svc, rest] = splitHost(host);
  const domain = rest?.split(":", 1)[0];
  if (svc === "svc" && domain === clusterDomain) return { namespace: hostNamespace, name };
  return { namespace, name: revision };
}

/** At most four parts; the fourth keeps its dots. */
function splitHost(host: string): readonly string[] {
  const parts = host.split(".");
  return parts.length < 4 ? parts : [...parts.slice(0, 3), parts.slice(3).join(".")];
}
