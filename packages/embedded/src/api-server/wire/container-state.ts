import { isJsonMap, memberAt, type StoredObject } from "@rouse/shared";

/** In which state a pod's status has one of its containers. */
export function containerState(
  pod: StoredObject,
  container: string,
): "waiting" | "running" | "terminated" | undefined {
  const lists = ["status.initContainerStatuses", "status.containerStatuses"].map((path) =>
    memberAt(pod, path),
  );
  for (const status of lists.flatMap((list): readonly unknown[] => (Array.isArray(list) ? list : []))) {
    if (!isJsonMap(status) || status.name !== container || !isJsonMap(status.state)) continue;
    if (status.state.terminated !== undefined) return "terminated";
    return status.state.running === undefined ? "waiting" : "running";
  }
  return undefined;
}
