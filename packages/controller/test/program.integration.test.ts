import { get } from "node:http";
import {
  type ConfigMap,
  ConfigMapKind,
  type Deployment,
  DeploymentKind,
  EndpointsKind,
  InProcessKubeClient,
  isKubeError,
  type KubeClient,
  LeaseKind,
  ObjectStore,
  parseIdentity,
  RealClock,
  SeededRandom,
  type ServerlessService,
  ServerlessServiceKind,
  ServiceKind,
  silentLogger,
} from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { type Config, parseConfig } from "../src/config.ts";
import { type Program, startProgram } from "../src/program.ts";

const LEASE = "controller.knative.dev.serving.pkg.reconciler.serverlessservice.reconciler.00-of-01";
const namespace = "default";

async function cluster() {
  const clock = new RealClock();
  const random = new SeededRandom(5);
  const store = new ObjectStore({ wall: () => clock.wall(), random }, { namespaces: ["knative-serving"] });
  const client = new InProcessKubeClient({ store, clock });
  const election: ConfigMap = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "knative-serving", name: "config-leader-election" },
    data: { "lease-duration": "3s", "renew-deadline": "2s", "retry-period": "20ms" },
  };
  await client.create(ConfigMapKind, election);
  await client.create(EndpointsKind, {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { namespace: "knative-serving", name: "activator-service" },
    subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ name: "http", port: 8012 }] }],
  });
  const start = async (name: string, more: Partial<Config> = {}): Promise<Program> => {
    const config = parseConfig({
      POD_NAME: name,
      POD_IP: "10.0.0.9",
      ROUSE_CONTROLLERS: "serverlessservice",
      ROUSE_LISTEN_IP: "127.0.0.1",
      ROUSE_ADMIN_PORT: "0",
    });
    const program = await startProgram({ client, clock, random, log: silentLogger }, { ...config, ...more });
    onTestFinished(() => program[Symbol.asyncDispose]());
    return program;
  };
  return { client, start };
}

/** A Deployment of a revision and its ServerlessService, as the autoscaler makes it. */
async function revision(client: KubeClient, name: string): Promise<void> {
  const labels = { "serving.knative.dev/revision": name };
  const deployment: Deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace, name, labels },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  };
  const sks: ServerlessService = {
    apiVersion: "networking.internal.knative.dev/v1alpha1",
    kind: "ServerlessService",
    metadata: { namespace, name, labels },
    spec: {
      mode: "Proxy",
      objectRef: { apiVersion: "apps/v1", kind: "Deployment", name },
      protocolType: "http1",
    },
  };
  await client.create(DeploymentKind, deployment);
  await client.create(ServerlessServiceKind, sks);
}

function asked(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      let text = "";
      response.on("data", (part: Buffer) => (text += part.toString()));
      response.on("end", () => resolve(`${response.statusCode} ${text}`));
    }).on("error", reject);
  });
}

test("of two replicas one writes, and the other at once when it goes; both say what they are", async () => {
  const { client, start } = await cluster();
  const first = await start("first");
  const holder = async (): Promise<string | undefined> => {
    const { spec } = await client.get(LeaseKind, { namespace: "knative-serving", name: LEASE });
    return parseIdentity(spec.holderIdentity)?.podName;
  };
  const hasService = (name: string): Promise<boolean> =>
    client.get(ServiceKind, { namespace, name }).then(
      () => true,
      (error: unknown) => {
        if (isKubeError(error, "NotFound")) return false;
        throw error;
      },
    );
  await expect.poll(holder).toBe("first");
  const second = await start("second");
  expect(await asked(first.adminPort, "/readyz")).toBe("200 ");
  expect(await asked(second.adminPort, "/healthz")).toBe("200 ok");
  expect(await asked(second.adminPort, "/other")).toBe("404 ");
  expect(await asked(first.adminPort, "/metrics")).toContain(`rouse_controller_leader{lease="${LEASE}"} 1`);
  expect(await asked(second.adminPort, "/metrics")).toContain(`rouse_controller_leader{lease="${LEASE}"} 0`);
  expect([first.webhookPort, second.webhookPort]).toEqual([undefined, undefined]);
  await revision(client, "before");
  await expect.poll(() => hasService("before")).toBe(true);
  await expect.poll(() => hasService("before-private")).toBe(true);
  await first[Symbol.asyncDispose]();
  await expect.poll(holder).toBe("second");
  await revision(client, "after");
  await expect.poll(() => hasService("after")).toBe(true);
});

test("a replica that does not lead writes nothing, and looks at everything when it does", async () => {
  const { client, start } = await cluster();
  const far = "9999-01-01T00:00:00.000000Z";
  await client.create(LeaseKind, {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { namespace: "knative-serving", name: LEASE },
    spec: { holderIdentity: "stock_10.0.0.8", leaseDurationSeconds: 3_600, renewTime: far },
  });
  await start("ours");
  await revision(client, "hello");
  const anyService = async (): Promise<string | undefined> =>
    (await client.list(ServiceKind, { namespace })).items[0]?.metadata.name;
  for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve));
  expect(await anyService()).toBeUndefined();
  const lease = await client.get(LeaseKind, { namespace: "knative-serving", name: LEASE });
  await client.update(LeaseKind, { ...lease, spec: { ...lease.spec, holderIdentity: "" } });
  await expect.poll(anyService).toBeDefined();
});
