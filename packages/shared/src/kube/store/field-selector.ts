import { resourceName } from "../kinds/registry.ts";
import type { Kind, KubeObject } from "../object.ts";
import { badRequest } from "./errors.ts";
import { memberAt } from "./stored-object.ts";

const EVERY_KIND: readonly string[] = ["metadata.name", "metadata.namespace"];

/** Fields beside name and namespace that a kind can be selected by. P-102. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  pods: ["spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "status.phase", "status.podIP"],
  events: [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "reason",
    "source",
    "type",
  ],
  services: ["spec.clusterIP", "spec.type"],
  namespaces: ["status.phase"],
};
/** Where a field is found when its name does not say. */
const FOUND_AT: Readonly<Record<string, string>> = { source: "source.component" };

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
      if (field === undefined || value === undefined) throw badRequest(`invalid selector: '${part}'`);
      const known = [...EVERY_KIND, ...(SELECTABLE[resourceName(kind)] ?? [])];
      if (!known.includes(field)) throw badRequest(`field label not supported: ${field}`);
      return { field, value, isEqual: operator !== "!=" };
    });
}

export function matchesFields(object: KubeObject, requirements: readonly FieldRequirement[]): boolean {
  return requirements.every(({ field, value, isEqual }) => {
    const found = memberAt(object, FOUND_AT[field] ?? field) ?? "";
    return (String(found) === value) === isEqual;
  });
}
