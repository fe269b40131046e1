import { get } from "node:http";
import {
  apiVersion,
  ConfigMapKind,
  DeploymentKind,
  encodeStatMessages,
  InProcessKubeClient,
  LeaseKind,
  labels,
  ObjectStore,
  PodAutoscalerKind,
  RealClock,
  revisionKey,
  SeededRandom,
  ServerlessServiceKind,
  SYSTEM_NAMESPACE,
  silentLogger,
} from "@rouse/shared";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { parseConfig } from "../src/config.ts";
import { Buckets, bucketNames } from "../src/forward/buckets.ts";
import { startProgram } from "../src/program.ts";
import { stat } from "./world.ts";

const clock = new RealClock();
const random = new SeededRandom(1);

function cluster() {
  const store = new ObjectStore({ wall: () => clock.wall(), random });
  return new InProcessKubeClient({ store, clock });
}

/** A replica of its own address: loopback has many. */
async function replica(client: ReturnType<typeof cluster>, ip: string, fatal: string[] = []) {
  const config = parseConfig({
    POD_NAME: `pod-${ip}`,
    POD_IP: ip,
    ROUSE_LISTEN_IP: ip,
    ROUSE_STAT_PORT: "0",
    ROUSE_METRICS_PORT: "0",
  });
  return await startProgram(
    { client, clock, random, log: silentLogger, onFatal: (reason) => fatal.push(reason) },
    config,
  );
}

async function addRevision(client: ReturnType<typeof cluster>, name: string): Promise<void> {
  const owned = { namespace: "default", labels: { [labels.revision]: name, [labels.configuration]: name } };
  await client.create(DeploymentKind, {
    apiVersion: apiVersion(DeploymentKind),
    kind: "Deployment",
    metadata: { ...owned, name: `${name}-deployment` },
    spec: { replicas: 0, selector: {}, template: { spec: { containers: [] } } },
  });
  await client.create(PodAutoscalerKind, {
    apiVersion: apiVersion(PodAutoscalerKind),
    kind: "PodAutoscaler",
    metadata: { ...owned, name },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: `${name}-deployment` },
      protocolType: "http1",
    },
  });
}

/** What the ServerlessService controller would write. */
async function serve(client: ReturnType<typeof cluster>, name: string): Promise<void> {
  const ref = { namespace: "default", name };
  await expect
    .poll(() =>
      client.get(ServerlessServiceKind, ref).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  const sks = await client.get(ServerlessServiceKind, ref);
  await client.updateStatus(ServerlessServiceKind, {
    ...sks,
    status: { serviceName: name, privateServiceName: `${name}-private`, conditions: [] },
  });
}

const replicasOf = async (client: ReturnType<typeof cluster>, name: string): Promise<number> =>
  (await client.get(DeploymentKind, { namespace: "default", name: `${name}-deployment` })).spec.replicas ?? 1;

test("S-1, S-2, S-39: one replica takes a report by WebSocket and has the revision scaled, and tells its metrics", async () => {
  const client = cluster();
  const program = await replica(client, "127.0.0.1");
  await addRevision(client, "hello-00001");
  await serve(client, "hello-00001");
  await expect
    .poll(() =>
      client
        .get(LeaseKind, { namespace: SYSTEM_NAMESPACE, name: bucketNames(1)[0] ?? "" })
        .then(({ spec }) => spec.holderIdentity),
    )
    .toBe("pod-127.0.0.1_127.0.0.1");
  const socket = new WebSocket(`ws://127.0.0.1:${program.statPort}/`);
  await new Promise((resolve) => socket.on("open", resolve));
  const revision = revisionKey({ namespace: "default", name: "hello-00001" });
  const report = encodeStatMessages([{ revision, stat: stat({ podName: "act", concurrency: 1, rps: 1 }) }]);
  await expect
    .poll(
      async () => {
        socket.send(report);
        return await replicasOf(client, "hello-00001");
      },
      { timeout: 5_000 },
    )
    .toBe(1);
  const metrics = await new Promise<string>((resolve) => {
    get({ host: "127.0.0.1", port: program.metricsPort, path: "/metrics" }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (text += part));
      response.on("end", () => resolve(text));
    });
  });
  expect(metrics).toContain('kn_revision_pods_desired{k8s_namespace_name="default"');
  const code = new Promise((resolve) => socket.on("close", resolve));
  await program[Symbol.asyncDispose]();
  expect(await code).toBe(1012);
  const lease = await client.get(LeaseKind, { namespace: SYSTEM_NAMESPACE, name: bucketNames(1)[0] ?? "" });
  expect(lease.spec.holderIdentity).toBe("");
});

test("S-140: an ordinal without a bucket is refused", async () => {
  const config = parseConfig({
    STATEFUL_CONTROLLER_ORDINAL: "as-1",
    STATEFUL_SERVICE_NAME: "autoscaler",
    ROUSE_LISTEN_IP: "127.0.0.1",
    ROUSE_STAT_PORT: "0",
    ROUSE_METRICS_PORT: "0",
  });
  const deps = { client: cluster(), clock, random, log: silentLogger, onFatal: () => {} };
  await expect(startProgram(deps, config)).rejects.toThrow("no bucket");
});

test("S-130, S-132: with three buckets and one replica every revision is decided", async () => {
  const client = cluster();
  await client.create(ConfigMapKind, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: SYSTEM_NAMESPACE, name: "config-leader-election" },
    data: { buckets: "3" },
  });
  await using _ = await replica(client, "127.0.0.1");
  const buckets = new Buckets(bucketNames(3));
  const names = ["a-00001", "b-00001", "c-00001", "d-00001", "e-00001"];
  expect(
    new Set(names.map((name) => buckets.of(revisionKey({ namespace: "default", name })))).size,
  ).toBeGreaterThan(1);
  for (const name of names) await addRevision(client, name);
  for (const name of names) await serve(client, name);
});
