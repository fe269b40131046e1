import { request } from "node:https";
import {
  ACTIVATOR_SERVICE,
  apiVersion,
  DeploymentKind,
  EndpointsKind,
  type KubeObject,
  labels,
  MetricKind,
  PodAutoscalerKind,
  rouse,
  ServerlessServiceKind,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtInProblems } from "../deploy/built-in-schemas.ts";
import { CustomSchemas } from "../deploy/custom-schemas.ts";
import { at, isManifest, listAt } from "../deploy/manifest.ts";
import { ClusterOfImages, type RunningPod, shipped } from "./cluster-of-images.ts";
import { canContain } from "./contained-process.ts";
import { passesProbe } from "./running-image.ts";

const TEST_MS = 60_000;
const CRDS = ["podautoscalers", "metrics", "serverlessservices"].map((name) => `crds/${name}.yaml`);
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "hello-1",
    namespace: "default",
    labels: { [labels.revision]: "on-demand", [rouse.inject]: "true" },
  },
  spec: { containers: [{ name: "hello", image: "example.com/hello:1", ports: [{ containerPort: 8080 }] }] },
};

describe.skipIf(!canContain())("deploy/kubernetes, run from the files of the images", () => {
  const owned = new AsyncDisposableStack();
  let cluster: ClusterOfImages;
  let controller: RunningPod;
  const pods: RunningPod[] = [];

  beforeAll(async () => {
    cluster = owned.use(await ClusterOfImages.start(["config.yaml", "webhook.yaml"]));
    const autoscaler = await cluster.pod("autoscaler");
    const activator = await cluster.pod("activator", { ROUSE_AUTOSCALER_URL: `ws://${autoscaler.ip}:8080` });
    controller = await cluster.pod("controller");
    pods.push(autoscaler, activator, controller);
    cluster.store.create(EndpointsKind, {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { namespace: SYSTEM_NAMESPACE, name: ACTIVATOR_SERVICE },
      ...{ subsets: [{ addresses: [{ ip: activator.ip }], ports: [{ name: "http", port: 8012 }] }] },
    });
  }, TEST_MS);
  afterAll(() => owned.disposeAsync(), TEST_MS);

  test(
    "each pod passes the probes of its Deployment",
    async () => {
      for (const { process, ip, container } of pods) {
        for (const probe of ["readinessProbe", "livenessProbe"])
          await passesProbe(process, ip, at(container, probe));
      }
    },
    TEST_MS,
  );

  test(
    "one annotated PodAutoscaler makes a Deployment scale from zero, and all that is written meets our definitions",
    async () => {
      const schemas = new CustomSchemas(CRDS.flatMap(shipped));
      const problems: string[] = [];
      const written = new Set<string>();
      using _ = cluster.store.observe((kind, { object }) => {
        if (![PodAutoscalerKind, MetricKind, ServerlessServiceKind].some((each) => each === kind)) return;
        written.add(kind.kind);
        problems.push(...schemas.problems(object).map((problem) => `${kind.kind}: ${problem}`));
      });
      const metadata = { namespace: "default" };
      cluster.store.create(DeploymentKind, {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { ...metadata, name: "hello" },
        ...{
          spec: {
            replicas: 3,
            selector: { matchLabels: { app: "hello" } },
            template: { metadata: { labels: { app: "hello" } }, spec: pod.spec },
          },
        },
      });
      cluster.store.create(PodAutoscalerKind, {
        apiVersion: apiVersion(PodAutoscalerKind),
        kind: PodAutoscalerKind.kind,
        metadata: { ...metadata, name: "on-demand", annotations: { [rouse.inject]: "true" } },
        ...{
          spec: {
            protocolType: "http1",
            scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello" },
          },
        },
      });
      const named = (kind: string, name: string) => (object: KubeObject) =>
        object.kind === kind && object.metadata.name === name;
      const { metadata: ofPods } = await cluster.until(named("Service", "on-demand-private"));
      // As Kubernetes does for a Service with a selector.
      cluster.store.create(EndpointsKind, {
        apiVersion: "v1",
        kind: "Endpoints",
        metadata: { ...metadata, name: ofPods.name, labels: ofPods.labels ?? {} },
      });
      const endpoints = await cluster.until(
        (object) => named("Endpoints", "on-demand")(object) && listAt(object, "subsets").length > 0,
      );
      const [address] = listAt(endpoints, "subsets", 0, "addresses");
      expect(pods.map(({ ip }) => ip)).toContain(at(address, "ip")); // the activator, as there is no pod
      const deployment = await cluster.until(
        ({ kind, metadata: { labels: own } }) =>
          kind === "Deployment" && own?.[labels.revision] === "on-demand",
      );
      expect(at(deployment, "spec", "template", "metadata", "labels", rouse.inject)).toBe("true");
      await cluster.until(
        (object) =>
          named("PodAutoscaler", "on-demand")(object) && at(object, "status", "conditions") !== undefined,
      );
      await cluster.until(
        (object) => named("Metric", "on-demand")(object) && at(object, "status") !== undefined,
      );
      expect([...written].sort()).toEqual(["Metric", "PodAutoscaler", "ServerlessService"]);
      expect(problems).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "the controller writes its authority into our webhook configurations, and a pod it is asked about gets the sidecar",
    async () => {
      const authorities = await Promise.all(
        ["injection.rouse.dev", "validation.rouse.dev"].map(async (name) => {
          const configuration = await cluster.until(
            (object) =>
              object.metadata.name === name &&
              at(object, "webhooks", 0, "clientConfig", "caBundle") !== undefined,
          );
          return String(at(configuration, "webhooks", 0, "clientConfig", "caBundle"));
        }),
      );
      expect(new Set(authorities).size).toBe(1);
      const [webhook] = shipped("webhook.yaml");
      const path = String(at(webhook, "webhooks", 0, "clientConfig", "service", "path"));
      const where = { ip: controller.ip, path, ca: Buffer.from(authorities[0] ?? "", "base64").toString() };
      const answer = await review(where, pod);
      expect(at(answer, "allowed")).toBe(true);
      const patched = applied(pod, JSON.parse(Buffer.from(String(at(answer, "patch")), "base64").toString()));
      const sidecar = listAt(patched, "spec", "containers").at(-1);
      const [, config] = shipped("config.yaml");
      expect(at(sidecar, "image")).toBe(at(config, "data", "queue-sidecar-image"));
      if (!isManifest(patched)) throw new Error("no object");
      expect(builtInProblems(patched)).toEqual([]);
    },
    TEST_MS,
  );
});

/** Asks a webhook as the API server does: by the name of its Service, trusting the authority of its configuration. */
function review(
  { ip, path, ca }: { readonly ip: string; readonly path: string; readonly ca: string },
  object: object,
): Promise<unknown> {
  const body = JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: "1",
      kind: { group: "", version: "v1", kind: "Pod" },
      namespace: "default",
      operation: "CREATE",
      object,
    },
  });
  const [, service] = shipped("controller.yaml");
  const servername = `${service?.metadata.name}.${SYSTEM_NAMESPACE}.svc`;
  return new Promise((resolve, reject) => {
    const sent = request({ host: ip, port: 8443, path, method: "POST", ca, servername }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve(at(JSON.parse(text), "response")));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** A JSON patch of additions and removals, as this webhook makes them. */
function applied(
  object: object,
  operations: readonly { op: string; path: string; value?: unknown }[],
): unknown {
  const copy: unknown = structuredClone(object);
  for (const { op, path, value } of operations) {
    const keys = path
      .slice(1)
      .split("/")
      .map((key) => key.replaceAll("~1", "/"));
    const last = keys.pop() ?? "";
    const parent: unknown = at(copy, ...keys);
    if (Array.isArray(parent) && last === "-") parent.push(value);
    else if (typeof parent !== "object" || parent === null) throw new Error(`no ${path}`);
    else if (op === "remove") Reflect.deleteProperty(parent, last);
    else Reflect.set(parent, last, value);
  }
  return copy;
}
