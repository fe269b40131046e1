import type { KubeError } from "../client.ts";
import { isBuiltIn, resourceName } from "../kinds/registry.ts";
import type { Kind, KubeObject } from "../object.ts";
import { badRequest } from "./errors.ts";
import { memberAt } from "./stored-object.ts";

const EVERY_KIND: readonly string[] = ["metadata.name", "metadata.namespace"];

/** Fields beside name and namespace that a kind can be selected by. P-102. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  pods: [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
  ],
  secrets: ["type"],
  nodes: ["spec.unschedulable"],
  "replicasets.apps": ["status.replicas"],
  events: [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
  ],
  services: ["spec.clusterIP", "spec.type"],
  namespaces: ["status.phase"],
};
/** Where a field is found when its name does not say. */
const FOUND_AT: Readonly<Record<string, string>> = { source: "source.component" };

/** Absent means false. */
const IS_FLAG: ReadonlySet<string> = new Set(["spec.hostNetwork", "spec.unschedulable"]);

export interface FieldRequirement {
  readonly field: string;
  readonly value: string;
  readonly isEqual: boolean;
}

/** Reads `f=v,g!=w`. @throws KubeError `BadRequest` for a field the kind cannot be selected by */
export function parseFieldSelector(kind: Kind<KubeObject>, text: string): readonly FieldRequirement[] {
  return text
    .split(",")
    .filter((part) => part.trim() !== "")
    .map((part) => {
      const [, field, operator, value] = /^\s*([^!=\s]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(part) ?? [];
      if (field === undefined || value === undefined)
        throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
      const known = [...EVERY_KIND, ...(SELECTABLE[resourceName(kind)] ?? [])];
      if (!known.includes(field)) throw unknownField(kind, field);
      return { field, value, isEqual: operator !== "!=" };
    });
}

/** Kinds without selectable members of their own have another text. P-30 */
function unknownField(kind: Kind<KubeObject>, field: string): KubeError {
  const hasOwn = SELECTABLE[resourceName(kind)] !== undefined || !isBuiltIn(kind);
  if (hasOwn) return badRequest(`field label not supported: ${field}`);
  return badRequest(
    `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
}

export function matchesFields(object: KubeObject, requirements: readonly FieldRequirement[]): boolean {
  return requirements.every(({ field, value, isEqual }) => {
    return (textAt(object, field) === value) === isEqual;
  });
}

function textAt(object: KubeObject, field: string): string {
  const found = memberAt(object, FOUND_AT[field] ?? field);
  if (found === undefined) return IS_FLAG.has(field) ? "false" : "";
  // `status.podIPs`: any of them is the first here
  return Array.isArray(found) ? String(memberAt(found[0], "ip") ?? "") : String(found);
}
