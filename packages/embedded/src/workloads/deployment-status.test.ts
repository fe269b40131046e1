import { type Deployment, findCondition, type WallMs } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { type DeploymentVerdict, deploymentStatus, type ReplicaCounts } from "./deployment-status.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
const at = (seconds: number): WallMs => (START + seconds * 1_000) as WallMs;

/** Follows a Deployment through its counts; returns what was said last. */
function follow(
  replicas: number,
  ...seen: readonly { readonly second: number; readonly counts: ReplicaCounts; readonly failure?: string }[]
): DeploymentVerdict {
  let verdict: DeploymentVerdict | undefined;
  for (const { second, counts, failure } of seen) {
    const deployment: Pick<Deployment, "spec" | "status"> = {
      spec: { replicas, selector: {}, template: { spec: { containers: [] } }, progressDeadlineSeconds: 60 },
      ...(verdict === undefined ? {} : { status: verdict.status }),
    };
    verdict = deploymentStatus({
      deployment: { ...deployment, metadata: { generation: 4 } },
      counts,
      maxUnavailable: 0,
      createFailure: failure,
      at: at(second),
    });
  }
  return verdict ?? expect.fail("nothing seen");
}

const count = (replicas: number, updated: number, ready: number): ReplicaCounts => ({
  replicas,
  updated,
  ready,
});
const condition = (verdict: DeploymentVerdict, type: string): string => {
  const found = findCondition(verdict.status.conditions, type);
  return found === undefined ? "absent" : `${found.status} ${found.reason}`;
};

describe("the status of a Deployment", () => {
  test("counts, and the generation they are about", () => {
    expect(follow(3, { second: 0, counts: count(3, 2, 1) }).status).toMatchObject({
      observedGeneration: 4,
      replicas: 3,
      updatedReplicas: 2,
      readyReplicas: 1,
      availableReplicas: 1,
      unavailableReplicas: 2,
    });
  });

  test("from created to complete", () => {
    const created = follow(1, { second: 0, counts: count(1, 1, 0) });
    expect(condition(created, "Progressing")).toBe("True NewReplicaSetCreated");
    expect(condition(created, "Available")).toBe("False MinimumReplicasUnavailable");
    expect(created.recheckAfterMs).toBe(60_001);
    const complete = follow(1, { second: 0, counts: count(1, 1, 0) }, { second: 5, counts: count(1, 1, 1) });
    expect(condition(complete, "Progressing")).toBe("True NewReplicaSetAvailable");
    expect(condition(complete, "Available")).toBe("True MinimumReplicasAvailable");
    expect(complete.recheckAfterMs).toBeUndefined();
  });

  test("zero replicas are complete", () => {
    expect(condition(follow(0, { second: 0, counts: count(0, 0, 0) }), "Progressing")).toBe(
      "True NewReplicaSetAvailable",
    );
  });

  test("no progress for the deadline, counted from the last progress (C-58, C-167)", () => {
    const steps = [
      { second: 0, counts: count(2, 2, 0) },
      { second: 50, counts: count(2, 2, 1) },
    ];
    const before = follow(2, ...steps, { second: 109, counts: count(2, 2, 1) });
    expect(condition(before, "Progressing")).toBe("True ReplicaSetUpdated");
    expect(before.recheckAfterMs).toBe(1_001);
    const after = follow(2, ...steps, { second: 110, counts: count(2, 2, 1) });
    expect(condition(after, "Progressing")).toBe("False ProgressDeadlineExceeded");
    expect(findCondition(after.status.conditions, "Progressing")?.message).toBe(
      "No progress for 60 s: 1 of 2 pods are ready.",
    );
  });

  test("late progress takes the verdict back", () => {
    const verdict = follow(
      1,
      { second: 0, counts: count(1, 1, 0) },
      { second: 60, counts: count(1, 1, 0) },
      { second: 70, counts: count(1, 1, 1) },
    );
    expect(condition(verdict, "Progressing")).toBe("True NewReplicaSetAvailable");
  });

  test("a rollout that is complete has no deadline any more, however its pods fare; a new template has", () => {
    const done = [
      { second: 0, counts: count(1, 1, 0) },
      { second: 1, counts: count(1, 1, 1) },
    ];
    expect(condition(follow(1, ...done, { second: 1_000, counts: count(1, 1, 0) }), "Progressing")).toBe(
      "True NewReplicaSetAvailable",
    );
    const rolling = [...done, { second: 1_000, counts: count(2, 1, 1) }];
    expect(condition(follow(1, ...rolling), "Progressing")).toBe("True NewReplicaSetCreated");
    expect(condition(follow(1, ...rolling, { second: 1_060, counts: count(2, 1, 1) }), "Progressing")).toBe(
      "False ProgressDeadlineExceeded",
    );
  });

  test("a time of transition moves with the status alone", () => {
    const verdict = follow(1, { second: 0, counts: count(1, 1, 0) }, { second: 9, counts: count(1, 1, 1) });
    expect(findCondition(verdict.status.conditions, "Progressing")).toMatchObject({
      lastTransitionTime: "2026-01-01T00:00:00Z",
      lastUpdateTime: "2026-01-01T00:00:09Z",
    });
    expect(findCondition(verdict.status.conditions, "Available")?.lastTransitionTime).toBe(
      "2026-01-01T00:00:09Z",
    );
  });

  test("pods that could not be created are a condition, until they can be", () => {
    const failed = { second: 0, counts: count(0, 0, 0), failure: "quota" };
    expect(condition(follow(1, failed), "ReplicaFailure")).toBe("True FailedCreate");
    expect(condition(follow(1, failed, { second: 1, counts: count(1, 1, 0) }), "ReplicaFailure")).toBe(
      "absent",
    );
  });
});
