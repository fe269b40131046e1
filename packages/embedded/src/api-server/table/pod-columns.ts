import { isJsonMap, type JsonMap, memberAt, type WallMs } from "@rouse/shared";
import { ageOf } from "./age.ts";
import { type Column, text } from "./column.ts";

const NONE = "<none>";

/** P-121. */
export function podColumns(name: Column, age: Column): readonly Column[] {
  return [
    name,
    text(
      "Ready",
      (pod) => `${statuses(pod).filter(({ ready }) => ready === true).length}/${containers(pod)}`,
    ),
    text("Status", podStatus),
    text("Restarts", restarts),
    age,
    text("IP", (pod) => memberAt(pod, "status.podIP") || NONE, 1),
    text("Node", (pod) => memberAt(pod, "spec.nodeName") || NONE, 1),
    text("Nominated Node", (pod) => memberAt(pod, "status.nominatedNodeName") || NONE, 1),
    text("Readiness Gates", readinessGates, 1),
  ];
}

/** Why a pod is not simply running: deletion, then its last container that says something, then reason and phase. */
function podStatus(pod: JsonMap): string {
  if (memberAt(pod, "metadata.deletionTimestamp") !== undefined) return "Terminating";
  for (const status of statuses(pod).reverse()) {
    const waiting = memberAt(status, "state.waiting.reason");
    if (waiting) return String(waiting);
    const terminated = memberAt(status, "state.terminated");
    if (!isJsonMap(terminated)) continue;
    if (terminated.reason) return String(terminated.reason);
    return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode ?? 0}`;
  }
  return String(memberAt(pod, "status.reason") || memberAt(pod, "status.phase") || "Unknown");
}

function restarts(pod: JsonMap, now: WallMs): string {
  let count = 0;
  let latest = "";
  for (const status of statuses(pod)) {
    count += typeof status.restartCount === "number" ? status.restartCount : 0;
    const finished = memberAt(status, "lastState.terminated.finishedAt");
    if (typeof finished === "string" && finished > latest) latest = finished;
  }
  return count > 0 && latest !== "" ? `${count} (${ageOf(latest, now)} ago)` : String(count);
}

function readinessGates(pod: JsonMap): string {
  const gates = listOf(memberAt(pod, "spec.readinessGates"));
  if (gates.length === 0) return NONE;
  const conditions = listOf(memberAt(pod, "status.conditions"));
  const isMet = (type: unknown): boolean =>
    conditions.some((each) => each.type === type && each.status === "True");
  return `${gates.filter(({ conditionType }) => isMet(conditionType)).length}/${gates.length}`;
}

function statuses(pod: JsonMap): JsonMap[] {
  return listOf(memberAt(pod, "status.containerStatuses"));
}

function containers(pod: JsonMap): number {
  return listOf(memberAt(pod, "spec.containers")).length;
}

function listOf(value: unknown): JsonMap[] {
  return Array.isArray(value) ? value.filter(isJsonMap) : [];
}
