import {
  type Condition,
  findCondition,
  type Pod,
  type Revision,
  type ServerlessService,
} from "@rouse/shared";

/** What the status line says about one revision. */
export interface RevisionView {
  readonly name: string;
  readonly pods: { readonly starting: number; readonly ready: number; readonly stopping: number };
  /** Who gets the requests: the activator (`proxy`) or the pods (`serve`). Absent before it is decided. */
  readonly mode: "proxy" | "serve" | undefined;
  /** Requests waiting for a pod. */
  readonly held: number;
  /** Requests a pod has. */
  readonly inFlight: number;
  /** Why something does not go as asked, in one line. */
  readonly trouble: string | undefined;
}

/** Requests of a revision at this moment. */
export interface Load {
  readonly held: number;
  readonly inFlight: number;
}

/** Reasons of a waiting container that are steps on the way, not trouble. */
const STEPS = new Set(["ContainerCreating", "PodInitializing"]);

/** Puts together what several objects say about one revision. `pods` are all of that revision. */
export function revisionView(
  revision: { readonly metadata: { readonly name: string }; readonly status?: Revision["status"] },
  about: {
    readonly pods: readonly Pod[];
    readonly sks: Pick<ServerlessService, "spec"> | undefined;
    readonly load: Load;
  },
): RevisionView {
  const counts = { starting: 0, ready: 0, stopping: 0 };
  for (const pod of about.pods) {
    if (pod.metadata.deletionTimestamp !== undefined) counts.stopping++;
    else if (findCondition(pod.status?.conditions, "Ready")?.status === "True") counts.ready++;
    else counts.starting++;
  }
  return {
    name: revision.metadata.name,
    pods: counts,
    mode: modeOf(about.sks),
    held: about.load.held,
    inFlight: about.load.inFlight,
    trouble: podTrouble(about.pods) ?? conditionTrouble(findCondition(revision.status?.conditions, "Ready")),
  };
}

function modeOf(sks: Pick<ServerlessService, "spec"> | undefined): RevisionView["mode"] {
  if (sks === undefined) return undefined;
  return sks.spec.mode === "Serve" ? "serve" : "proxy";
}

/** The first container that waits for something to be mended, or has ended, in a pod that is meant to run. */
function podTrouble(pods: readonly Pod[]): string | undefined {
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    for (const { state } of pod.status?.containerStatuses ?? []) {
      if (state === undefined || "running" in state) continue;
      if ("terminated" in state) {
        const { reason, message, exitCode } = state.terminated;
        return oneLine(reason ?? "Error", message ?? `exit code ${exitCode}`);
      }
      if (!STEPS.has(state.waiting.reason)) return oneLine(state.waiting.reason, state.waiting.message);
    }
  }
  return undefined;
}

/** A condition that says no, or that waits and says for what. */
export function conditionTrouble(condition: Condition | undefined): string | undefined {
  if (condition === undefined || condition.status !== "False") return undefined;
  return oneLine(condition.reason ?? "Failed", condition.message);
}

function oneLine(reason: string, message: string | undefined): string {
  return message === undefined || message === ""
    ? reason
    : `${reason}: ${message.trim().replace(/\s*\n\s*/g, " / ")}`;
}
