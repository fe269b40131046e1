import { describe, expect, test } from "vitest";
import { VirtualClock } from "../clock/virtual-clock.ts";
import { SeededRandom } from "../random.ts";
import { isKubeError, type KubeClient, KubeError } from "./client.ts";
import { type Deployment, DeploymentKind } from "./kinds/core.ts";
import type { Stored } from "./object.ts";
import { InProcessKubeClient } from "./store/in-process-client.ts";
import { ObjectStore } from "./store/object-store.ts";
import { writeStatus } from "./write-status.ts";

const ref = { namespace: "default", name: "d" };
const deployment: Deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: ref,
  spec: { selector: {}, template: { spec: { containers: [] } } },
};

async function setup() {
  const clock = new VirtualClock();
  const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1) });
  const client = new InProcessKubeClient({ store, clock });
  const object = await client.create(DeploymentKind, deployment);
  return { store, client, object };
}

/** A client whose first status writes fail with a conflict. */
function conflicting(client: KubeClient, times: number): KubeClient & { attempts: number } {
  const wrapped = Object.assign(Object.create(client), {
    attempts: 0,
    get: client.get.bind(client),
    updateStatus: async (kind: typeof DeploymentKind, object: Deployment): Promise<Stored<Deployment>> => {
      wrapped.attempts++;
      if (wrapped.attempts <= times) throw new KubeError("Conflict", "stale");
      return await client.updateStatus(kind, object);
    },
  });
  return wrapped;
}

describe("writeStatus (C-10 step 6)", () => {
  test("writes what is new and answers the stored object", async () => {
    const { client, object } = await setup();
    const written = await writeStatus(client, DeploymentKind, object, { replicas: 1 });
    expect(written.status).toEqual({ replicas: 1 });
    expect(await client.get(DeploymentKind, ref)).toBe(written);
  });

  test("writes nothing that says nothing new (C-13, CI-1)", async () => {
    const { store, client, object } = await setup();
    const condition = { type: "A", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" } as const;
    const written = await writeStatus(client, DeploymentKind, object, { conditions: [condition] });
    const version = store.resourceVersion;
    const later = { ...condition, lastTransitionTime: "2026-02-02T00:00:00Z" };
    expect(await writeStatus(client, DeploymentKind, written, { conditions: [later] })).toBe(written);
    expect(await writeStatus(client, DeploymentKind, object, {})).toBe(object);
    expect(store.resourceVersion).toBe(version);
  });

  test("reads again on a conflict and overwrites the whole status", async () => {
    const { client, object } = await setup();
    await client.updateStatus(DeploymentKind, { ...object, status: { readyReplicas: 9 } });
    const body = { spec: { replicas: 3 } };
    await client.patch(DeploymentKind, ref, { kind: "merge", body });
    const written = await writeStatus(client, DeploymentKind, object, { replicas: 1 });
    expect(written).toMatchObject({ status: { replicas: 1 }, spec: { replicas: 3 } });
    expect(written.status).not.toHaveProperty("readyReplicas");
  });

  test("gives up after five attempts", async () => {
    const { client, object } = await setup();
    const four = conflicting(client, 4);
    expect((await writeStatus(four, DeploymentKind, object, { replicas: 1 })).status).toEqual({
      replicas: 1,
    });
    const always = conflicting(client, 100);
    const failed = await writeStatus(always, DeploymentKind, object, { replicas: 2 }).catch(
      (error: unknown) => error,
    );
    expect(isKubeError(failed, "Conflict")).toBe(true);
    expect(always.attempts).toBe(5);
  });

  test("leaves a successor of the same name alone", async () => {
    const { client, object } = await setup();
    await client.delete(DeploymentKind, ref);
    await client.create(DeploymentKind, deployment);
    const failed = await writeStatus(client, DeploymentKind, object, { replicas: 1 }).catch(
      (error: unknown) => error,
    );
    expect(isKubeError(failed, "NotFound")).toBe(true);
    expect(await client.get(DeploymentKind, ref)).not.toHaveProperty("status");
  });
});
