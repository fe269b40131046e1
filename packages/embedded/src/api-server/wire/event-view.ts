import { type AnyObject, isJsonMap, memberOf } from "@rouse/shared";

/** The same event under the names of either API: `events.k8s.io/v1` on the left, `v1` on the right. P-67 */
const MEMBERS: readonly (readonly [string, string])[] = [
  ["regarding", "involvedObject"],
  ["note", "message"],
  ["reportingController", "reportingComponent"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
];

export function toNewEvent(event: AnyObject): AnyObject {
  return {
    ...renamed(
      event,
      MEMBERS.map(([to, from]) => [from, to] as const),
    ),
    apiVersion: "events.k8s.io/v1",
  };
}

export function toCoreEvent(event: AnyObject): AnyObject {
  return { ...renamed(event, MEMBERS), apiVersion: "v1" };
}

function renamed(event: AnyObject, members: readonly (readonly [string, string])[]): AnyObject {
  const result: Record<string, unknown> = { ...event };
  for (const [from, to] of members) {
    const value = memberOf(event, from);
    delete result[from];
    if (value !== undefined && !(isJsonMap(value) && Object.keys(value).length === 0)) result[to] = value;
  }
  return { ...result, apiVersion: event.apiVersion, kind: event.kind, metadata: event.metadata };
}
