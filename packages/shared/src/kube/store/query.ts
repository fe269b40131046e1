import type { ListQuery } from "../client.ts";
import type { Kind, KubeObject } from "../object.ts";
import { matchesLabels, parseLabelSelector } from "../selector.ts";
import { badRequest } from "./errors.ts";
import { matchesFields, parseFieldSelector } from "./field-selector.ts";
import type { StoredObject } from "./stored-object.ts";

/** Whether an object is one of those asked for. */
export type Matcher = (object: StoredObject) => boolean;

/** Reads the selectors of a list or watch once. @throws KubeError `BadRequest` if one is malformed. P-101, P-102 */
export function compileQuery(kind: Kind<KubeObject>, query: ListQuery): Matcher {
  const { namespace, labelSelector = "", fieldSelector = "" } = query;
  const labels = parseLabelSelector(labelSelector);
  if (labels === undefined) throw badRequest(`unable to parse requirement: ${labelSelector}`);
  const fields = parseFieldSelector(kind, fieldSelector);
  return (object) =>
    (namespace === undefined || namespace === "" || object.metadata.namespace === namespace) &&
    matchesLabels(object.metadata.labels, labels) &&
    matchesFields(object, fields);
}
