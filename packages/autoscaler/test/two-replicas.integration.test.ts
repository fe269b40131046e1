import { get } from "node:http";
import { createServer } from "node:net";
import {
  apiVersion,
  ConfigMapKind,
  DeploymentKind,
  encodeStatMessages,
  InProcessKubeClient,
  type KubeClient,
  KubeError,
  LeaseKind,
  labels,
  ObjectStore,
  PodAutoscalerKind,
  PodKind,
  RealClock,
  type RevisionKey,
  revisionKey,
  SeededRandom,
  ServerlessServiceKind,
  SYSTEM_NAMESPACE,
  silentLogger,
} from "@rouse/shared";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { parseConfig } from "../src/config.ts";
import { type Program, startProgram } from "../src/program.ts";
import { stat } from "./world.ts";

const IPS = ["127.0.0.2", "127.0.0.3"] as const;
const REVISIONS = Array.from({ length: 8 }, (_, index) => `load-${index}`);
const PODS = 6;
/** At five a pod and 70 % of that: six pods. */
const LOAD = 20;
/**
 * Reports of one second add up, so a report a second counts twice or not at all where it meets the second's end. Told in
 * tenths, one more or less moves nothing.
 */
const REPORT_MS = 100;
const DESIRED = "kn_revision_pods_desired";
const PANIC = "kn_revision_panic_mode";
const LIMIT_MS = 90_000;
const clock = new RealClock();
const random = new SeededRandom(1);

/** An API that a replica loses with its life: nothing of it arrives any more, and it hears nothing. */
function mortal(client: KubeClient): { readonly client: KubeClient; die(): void } {
  let isDead = false;
  const lost = (): Promise<never> => Promise.reject(new KubeError("ServiceUnavailable", "dead"));
  return {
    client: {
      get: (kind, ref) => (isDead ? lost() : client.get(kind, ref)),
      list: (kind, query) => (isDead ? lost() : client.list(kind, query)),
      watch: (kind, query, sink) =>
        client.watch(kind, query, {
          event: (event) => {
            if (!isDead) sink.event(event);
          },
          closed: (reason) => sink.closed(reason),
        }),
      create: (kind, object) => (isDead ? lost() : client.create(kind, object)),
      update: (kind, object) => (isDead ? lost() : client.update(kind, object)),
      updateStatus: (kind, object) => (isDead ? lost() : client.updateStatus(kind, object)),
      patch: (kind, ref, patch, subresource) =>
        isDead ? lost() : client.patch(kind, ref, patch, subresource),
      delete: (kind, ref, options) => (isDead ? lost() : client.delete(kind, ref, options)),
    },
    die: () => {
      isDead = true;
    },
  };
}

/** Replicas find each other by address alone, so all of them take stats on the same port. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, IPS[0], resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function addRevision(client: KubeClient, name: string): Promise<void> {
  const owned = { namespace: "default", labels: { [labels.revision]: name, [labels.configuration]: name } };
  const annotations = {
    "autoscaling.knative.dev/window": "6s",
    "autoscaling.knative.dev/target-burst-capacity": "-1",
  };
  await client.create(DeploymentKind, {
    apiVersion: apiVersion(DeploymentKind),
    kind: "Deployment",
    metadata: { ...owned, name: `${name}-deployment` },
    spec: { replicas: PODS, selector: {}, template: { spec: { containers: [] } } },
  });
  for (let index = 0; index < PODS; index++) {
    const pod = await client.create(PodKind, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...owned, name: `${name}-${index}` },
      spec: { containers: [] },
    });
    const conditions = [{ type: "Ready", status: "True" }] as const;
    await client.updateStatus(PodKind, { ...pod, status: { phase: "Running", conditions: [...conditions] } });
  }
  await client.create(PodAutoscalerKind, {
    apiVersion: apiVersion(PodAutoscalerKind),
    kind: "PodAutoscaler",
    metadata: { ...owned, name, annotations },
    spec: {
      containerConcurrency: 5,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: `${name}-deployment` },
      protocolType: "http1",
    },
  });
}

/** What the ServerlessService controller would write. */
async function serve(client: KubeClient, name: string): Promise<void> {
  const ref = { namespace: "default", name };
  const found = () => client.get(ServerlessServiceKind, ref).catch(() => undefined);
  await expect.poll(found, { timeout: 10_000 }).toBeDefined();
  const status = { serviceName: name, privateServiceName: `${name}-private`, conditions: [] };
  await client.updateStatus(ServerlessServiceKind, {
    ...(await client.get(ServerlessServiceKind, ref)),
    status,
  });
}

/** One of the activators: tells its part of the load once a second, at first to the replica of that place. */
function activator(port: number, revisions: readonly RevisionKey[], first: number): Disposable {
  let socket: WebSocket | undefined;
  let turn = first;
  let isOver = false;
  const connect = (): void => {
    if (isOver) return;
    socket = new WebSocket(`ws://${IPS[turn++ % IPS.length]}:${port}/`);
    socket.on("error", () => {});
    socket.on("close", () => void clock.after(100, connect));
  };
  connect();
  const report = stat({
    podName: `activator-${first}`,
    concurrency: (LOAD / IPS.length) * (REPORT_MS / 1_000),
    rps: LOAD,
  });
  const bytes = encodeStatMessages(revisions.map((revision) => ({ revision, stat: report })));
  const tell = (): void => {
    if (isOver) return;
    if (socket?.readyState === WebSocket.OPEN) socket.send(bytes);
    clock.after(REPORT_MS, tell);
  };
  tell();
  return {
    [Symbol.dispose]: () => {
      isOver = true;
      socket?.terminate();
    },
  };
}

/** A gauge of a replica's deciders, by revision. */
async function gaugeAt(ip: string, port: number, gauge: string): Promise<ReadonlyMap<string, number>> {
  const text = await new Promise<string>((resolve, reject) => {
    get({ host: ip, port, path: "/metrics" }, (response) => {
      let all = "";
      response.setEncoding("utf8").on("data", (part: string) => (all += part));
      response.on("end", () => resolve(all));
    }).on("error", reject);
  });
  const row = /^(\w+)\{.*kn_revision_name="([^"]+)".*\} (\S+)$/gm;
  const rows = [...text.matchAll(row)].filter(([, name]) => name === gauge);
  return new Map(rows.map(([, , name = "", value]) => [name, Number(value)]));
}

test("S-130…S-138, S-141: of two replicas one dies under load, the other decides for all, and no scale moves by more than one", {
  timeout: LIMIT_MS,
}, async () => {
  const store = new ObjectStore({ wall: () => clock.wall(), random });
  const client = new InProcessKubeClient({ store, clock });
  await client.create(ConfigMapKind, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: SYSTEM_NAMESPACE, name: "config-leader-election" },
    data: { buckets: "4", "lease-duration": "3s", "renew-deadline": "2s", "retry-period": "500ms" },
  });
  const port = await freePort();
  await using running = new AsyncDisposableStack();
  const start = async (ip: string): Promise<{ program: Program; die(): void }> => {
    const life = mortal(client);
    const config = parseConfig({
      POD_NAME: `pod-${ip}`,
      POD_IP: ip,
      ROUSE_LISTEN_IP: ip,
      ROUSE_STAT_PORT: String(port),
      ROUSE_METRICS_PORT: "0",
    });
    const deps = { client: life.client, clock, random, log: silentLogger, onFatal: () => {} };
    return { program: running.use(await startProgram(deps, config)), die: life.die };
  };
  const holders = async (): Promise<readonly string[]> => {
    const { items } = await client.list(LeaseKind, { namespace: SYSTEM_NAMESPACE });
    return items.map(({ spec }) => spec.holderIdentity?.split("_")[1] ?? "");
  };
  const [first, second] = [await start(IPS[0]), await start(IPS[1])];
  for (const name of REVISIONS) await addRevision(client, name);
  for (const name of REVISIONS) await serve(client, name);
  await expect.poll(async () => (await holders()).length, { timeout: 10_000 }).toBe(4);
  const keys = REVISIONS.map((name) => revisionKey({ namespace: "default", name }));
  for (const at of IPS.keys()) running.use(activator(port, keys, at));

  const seen = new Set<number>();
  const { resourceVersion } = await client.list(DeploymentKind);
  running.use(
    client.watch(
      DeploymentKind,
      { resourceVersion },
      {
        event: (event) => {
          if (event.type !== "BOOKMARK") seen.add(event.object.spec.replicas ?? Number.NaN);
        },
        closed: () => {},
      },
    ),
  );
  const desired = (ip: string, { program }: { readonly program: Program }) =>
    gaugeAt(ip, program.metricsPort, DESIRED);
  const decided = async (): Promise<number> =>
    [...(await desired(IPS[0], first)).values()].filter((pods) => pods === PODS).length;
  await expect.poll(decided, { timeout: 20_000 }).toBe(REVISIONS.length);
  // The second has nothing to decide yet: what its activator tells goes on to the first.
  expect(new Set(await holders())).toEqual(new Set([IPS[0]]));

  first.die();
  await first.program[Symbol.asyncDispose]();
  const taken = async () => [...(await desired(IPS[1], second)).values()];
  await expect.poll(async () => (await taken()).length, { timeout: 20_000 }).toBe(REVISIONS.length);
  expect(new Set(await holders())).toEqual(new Set([IPS[1]]));
  // At first it is in panic, and shrinks nothing (S-76); what it wants later is what it has measured itself.
  const panics = async () => [...(await gaugeAt(IPS[1], second.program.metricsPort, PANIC)).values()];
  await expect.poll(async () => new Set(await panics()), { timeout: 20_000 }).toEqual(new Set([0]));
  const wanted = [...seen, ...(await taken())];
  expect(wanted.filter((pods) => Math.abs(pods - PODS) > 1)).toEqual([]);
});
