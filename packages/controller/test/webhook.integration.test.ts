import { request } from "node:https";
import {
  applyJsonPatch,
  type ConfigMap,
  ConfigMapKind,
  Informer,
  InProcessKubeClient,
  isJsonMap,
  MutatingWebhookConfigurationKind,
  ObjectStore,
  type Pod,
  type PodAutoscaler,
  PodAutoscalerKind,
  RealClock,
  SecretKind,
  SeededRandom,
  silentLogger,
  ValidatingWebhookConfigurationKind,
} from "@rouse/shared";
import { describe, expect, onTestFinished, test } from "vitest";
import { Webhook } from "../src/webhook/webhook.ts";

const HOST = "rouse-webhook.knative-serving.svc";
const SECRET = { namespace: "knative-serving", name: "rouse-webhook-certificates" };
const bundleOf = (text: string | undefined): string => Buffer.from(text ?? "", "base64").toString("utf8");

const autoscaler = (annotations: Record<string, string> = {}): PodAutoscaler => ({
  apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
  kind: "PodAutoscaler",
  metadata: {
    namespace: "default",
    name: "hello",
    labels: { "serving.knative.dev/revision": "hello", "serving.knative.dev/configuration": "hello" },
    annotations: { "rouse.dev/inject": "true", ...annotations },
  },
  spec: {
    containerConcurrency: 5,
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello" },
    protocolType: "http1",
  },
});
const pod = (spec: Partial<Pod["spec"]> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "",
    generateName: "hello-",
    namespace: "default",
    labels: { "serving.knative.dev/revision": "hello", "rouse.dev/inject": "true", app: "hello" },
  },
  spec: { containers: [{ name: "app", image: "i", ports: [{ containerPort: 3000 }] }], ...spec },
});

/** Two replicas of the webhook on one API, each on a port of its own. */
async function replicas() {
  const clock = new RealClock();
  const random = new SeededRandom(7);
  const store = new ObjectStore({ wall: () => clock.wall(), random }, { namespaces: ["knative-serving"] });
  const client = new InProcessKubeClient({ store, clock });
  const config: ConfigMap = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "knative-serving", name: "config-deployment" },
    data: { "queue-sidecar-image": "registry/queue-proxy@sha256:1" },
  };
  await client.create(ConfigMapKind, config);
  const apiVersion = "admissionregistration.k8s.io/v1";
  const webhooks = (name: string) => [{ name, clientConfig: {} }];
  for (const [kind, name] of [
    [MutatingWebhookConfigurationKind, "injection.rouse.dev"],
    [ValidatingWebhookConfigurationKind, "validation.rouse.dev"],
  ] as const) {
    await client.create(kind, { apiVersion, kind: kind.kind, metadata: { name }, webhooks: webhooks(name) });
  }
  const start = async (isBehind = false): Promise<Webhook> => {
    const autoscalers = new Informer<PodAutoscaler>({ client, clock, random }, PodAutoscalerKind);
    await autoscalers.start();
    const webhook = await Webhook.start(
      {
        client,
        clock,
        random,
        log: silentLogger,
        autoscalers: isBehind ? { get: () => undefined } : autoscalers,
      },
      { ip: "127.0.0.1", port: 0, service: "rouse-webhook" },
    );
    onTestFinished(async () => {
      await webhook[Symbol.asyncDispose]();
      autoscalers[Symbol.dispose]();
    });
    return webhook;
  };
  const bundle = async (): Promise<string> => {
    const { webhooks: [first] = [] } = await client.get(MutatingWebhookConfigurationKind, {
      namespace: "",
      name: "injection.rouse.dev",
    });
    return bundleOf(first?.clientConfig.caBundle);
  };
  return { client, start, bundle };
}

/** As the API asks: TLS, trusting the bundle of the configuration alone. */
function ask(at: {
  readonly port: number;
  readonly path: string;
  readonly ca: string;
  readonly kind: string;
  readonly object: unknown;
}): Promise<Record<string, unknown>> {
  const review = {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: "u-1",
      kind: { group: "", version: "v1", kind: at.kind },
      namespace: "default",
      operation: "CREATE",
      object: at.object,
    },
  };
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: "127.0.0.1",
        port: at.port,
        path: at.path,
        method: "POST",
        ca: at.ca,
        servername: HOST,
        agent: false,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (text += part));
        response.on("end", () => {
          const answer: unknown = response.statusCode === 200 ? JSON.parse(text) : {};
          const said = isJsonMap(answer) && isJsonMap(answer.response) ? answer.response : {};
          resolve({ status: response.statusCode, ...said });
        });
      },
    );
    call.on("error", reject);
    call.end(JSON.stringify(review));
  });
}
const patched = (object: Pod, answer: Record<string, unknown>): Pod => {
  const operations = JSON.parse(bundleOf(String(answer.patch ?? "")));
  return Object.assign(structuredClone(object), applyJsonPatch(object, operations));
};

describe("injection, over TLS", () => {
  test("C-53, C-54: a pod of an annotated PodAutoscaler gets a queue-proxy; both replicas answer the same", async () => {
    const { client, start, bundle } = await replicas();
    const [first, second] = [await start(), await start()];
    await client.create(PodAutoscalerKind, autoscaler({ "rouse.dev/timeout": "90s" }));
    await expect.poll(bundle).toContain("BEGIN CERTIFICATE");
    const ca = await bundle();
    const object = pod({ terminationGracePeriodSeconds: 10 });
    const answers = await Promise.all(
      [first, second].map(({ port }) => ask({ port, path: "/inject", ca, kind: "Pod", object })),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject({ uid: "u-1", allowed: true, patchType: "JSONPatch" });
    const injected = patched(object, answers[0] ?? {});
    const [app, sidecar] = injected.spec.containers;
    expect(injected.spec.terminationGracePeriodSeconds).toBe(90);
    expect(app).toMatchObject({
      env: [{ name: "PORT", value: "3000" }],
      ports: [{ containerPort: 3000 }],
      lifecycle: { preStop: { httpGet: { port: 8022, path: "/wait-for-drain" } } },
    });
    expect(sidecar).toMatchObject({
      name: "queue-proxy",
      image: "registry/queue-proxy@sha256:1",
      securityContext: { runAsNonRoot: true, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
    });
    const env = new Map(sidecar?.env?.map(({ name, value }) => [name, value]));
    expect([
      env.get("CONTAINER_CONCURRENCY"),
      env.get("USER_PORT"),
      env.get("REVISION_TIMEOUT_SECONDS"),
    ]).toEqual(["5", "3000", "90"]);
    expect([env.get("SERVING_REVISION"), env.get("QUEUE_SERVING_PORT")]).toEqual(["hello", "8012"]);
    expect(env.get("ROUSE_READY_LISTENERS")).toBe("activator-each.knative-serving.svc:8012");
    const again = await ask({ port: first.port, path: "/inject", ca, kind: "Pod", object: injected });
    expect(again).toMatchObject({ allowed: true });
    expect(again.patch).toBeUndefined();
    expect(first.counts).toEqual({ reviews: 2, refused: 0 });
  });

  test("a pod gets its queue-proxy although a watch is behind; one whose PodAutoscaler is gone does not", async () => {
    const { client, start, bundle } = await replicas();
    const { port } = await start(true);
    await expect.poll(bundle).toContain("BEGIN CERTIFICATE");
    const ca = await bundle();
    const injectedOne = async (): Promise<boolean> =>
      (await ask({ port, path: "/inject", ca, kind: "Pod", object: pod() })).patch !== undefined;
    expect(await injectedOne()).toBe(false);
    await client.create(PodAutoscalerKind, autoscaler());
    expect(await injectedOne()).toBe(true);
  });

  test("a readiness probe moves to queue-proxy, but for a command, which only its own container can run", async () => {
    const { client, start, bundle } = await replicas();
    const { port } = await start();
    await client.create(PodAutoscalerKind, autoscaler());
    await expect.poll(bundle).toContain("BEGIN CERTIFICATE");
    const ca = await bundle();
    const http = pod({
      containers: [
        {
          name: "app",
          ports: [{ containerPort: 3000 }],
          readinessProbe: { httpGet: { path: "/up" }, periodSeconds: 3 },
        },
      ],
    });
    const moved = patched(http, await ask({ port, path: "/inject", ca, kind: "Pod", object: http }));
    expect(moved.spec.containers[0]?.readinessProbe).toBeUndefined();
    const probe = moved.spec.containers[1]?.env?.find(
      ({ name }) => name === "SERVING_READINESS_PROBE",
    )?.value;
    expect(JSON.parse(probe ?? "{}")).toMatchObject({
      httpGet: { path: "/up", port: 3000 },
      periodSeconds: 3,
    });
    const exec = { exec: { command: ["true"] } };
    const own = pod({ containers: [{ name: "app", readinessProbe: exec }] });
    const kept = patched(own, await ask({ port, path: "/inject", ca, kind: "Pod", object: own }));
    expect(kept.spec.containers[0]?.readinessProbe).toEqual(exec);
  });

  test.each([
    {
      why: "a port of queue-proxy is taken",
      spec: { containers: [{ name: "a", ports: [{ containerPort: 8022 }] }] },
      message: "port 8022",
    },
    {
      why: "the named container is not there",
      spec: {},
      annotations: { "rouse.dev/container": "other" },
      message: "names none",
    },
  ])("a pod is refused where $why", async ({ spec, annotations, message }) => {
    const { client, start, bundle } = await replicas();
    const { port } = await start();
    await client.create(PodAutoscalerKind, autoscaler(annotations));
    await expect.poll(bundle).toContain("BEGIN CERTIFICATE");
    const answer = await ask({ port, path: "/inject", ca: await bundle(), kind: "Pod", object: pod(spec) });
    expect(answer).toMatchObject({ allowed: false, status: { code: 422 } });
    expect(JSON.stringify(answer)).toContain(message);
  });

  test("a pod nobody scales is left as it is, nonsense is 400, another path 404, another authority is not believed", async () => {
    const { start, bundle } = await replicas();
    const { port } = await start();
    await expect.poll(bundle).toContain("BEGIN CERTIFICATE");
    const ca = await bundle();
    const alone = await ask({ port, path: "/inject", ca, kind: "Pod", object: pod() });
    expect([alone.allowed, alone.patch]).toEqual([true, undefined]);
    expect((await ask({ port, path: "/other", ca, kind: "Pod", object: {} })).status).toBe(404);
    const other = await replicas();
    await other.start();
    await expect.poll(other.bundle).toContain("BEGIN CERTIFICATE");
    const stranger = await other.bundle();
    await expect(ask({ port, path: "/inject", ca: stranger, kind: "Pod", object: pod() })).rejects.toThrow();
  });
});

describe("validation", () => {
  const sks = (spec: object) => ({ metadata: { name: "s", namespace: "default" }, spec });
  const good = {
    mode: "Serve",
    protocolType: "http1",
    objectRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
  };

  test.each([
    {
      kind: "PodAutoscaler",
      object: autoscaler({ "autoscaling.knative.dev/min-scale": "1" }),
      message: undefined,
    },
    {
      kind: "PodAutoscaler",
      object: autoscaler({ "autoscaling.knative.dev/min-scale": "-1" }),
      message: "min-scale",
    },
    { kind: "PodAutoscaler", object: autoscaler({ "rouse.dev/port": "8012" }), message: "rouse.dev/port" },
    {
      kind: "PodAutoscaler",
      object: autoscaler({ "rouse.dev/timeout": "soon" }),
      message: "rouse.dev/timeout",
    },
    { kind: "PodAutoscaler", object: { ...autoscaler(), spec: {} }, message: "spec.scaleTargetRef.name" },
    {
      kind: "PodAutoscaler",
      object: { ...autoscaler(), spec: { ...autoscaler().spec, containerConcurrency: 1_001 } },
      message: "containerConcurrency",
    },
  ])("$kind: $message", refuses);

  test.each([
    { what: "a whole one", object: sks(good), message: undefined },
    { what: "no spec", object: { ...sks(good), spec: {} }, message: "missing field(s): spec.mode" },
    { what: "no mode", object: sks({ ...good, mode: undefined }), message: "missing field(s): spec.mode" },
    {
      what: "another mode",
      object: sks({ ...good, mode: "Both" }),
      message: "invalid value: Both: spec.mode",
    },
    {
      what: "fewer than no activators",
      object: sks({ ...good, numActivators: -1 }),
      message: "spec.numActivators",
    },
    { what: "no protocol", object: sks({ ...good, protocolType: undefined }), message: "spec.protocolType" },
    {
      what: "another protocol",
      object: sks({ ...good, protocolType: "h3" }),
      message: "invalid value: h3: spec.protocolType",
    },
    ...["apiVersion", "kind", "name"].map((member) => ({
      what: `no ${member} of what it serves`,
      object: sks({ ...good, objectRef: { ...good.objectRef, [member]: undefined } }),
      message: `missing field(s): spec.objectRef.${member}`,
    })),
    {
      what: "an apiVersion that is none",
      object: sks({ ...good, objectRef: { ...good.objectRef, apiVersion: "a/b/c" } }),
      message: "invalid value: a/b/c: spec.objectRef.apiVersion",
    },
    {
      what: "a kind that is no name",
      object: sks({ ...good, objectRef: { ...good.objectRef, kind: "no kind" } }),
      message: "invalid value: no kind: spec.objectRef.kind",
    },
    {
      what: "a name that is none",
      object: sks({ ...good, objectRef: { ...good.objectRef, name: "Not_A_Name" } }),
      message: "invalid value: Not_A_Name: spec.objectRef.name",
    },
    {
      what: "more of what it serves than its name",
      object: sks({ ...good, objectRef: { ...good.objectRef, namespace: "other" } }),
      message: "must not set the field(s): spec.objectRef.namespace",
    },
    {
      what: "an unknown annotation of networking",
      object: {
        ...sks(good),
        metadata: { ...sks(good).metadata, annotations: { "networking.knative.dev/colour": "red" } },
      },
      message: "networking.knative.dev/colour",
    },
  ])(
    "K-11: a ServerlessService with $what: $message",
    async ({ object, message }) => await refuses({ kind: "ServerlessService", object, message }),
  );

  /** What comes of an object shown to the webhook: refused with a text that contains `message`, or allowed. */
  async function refuses({
    kind,
    object,
    message,
  }: {
    kind: string;
    object: object;
    message: string | undefined;
  }): Promise<void> {
    const { start, bundle } = await replicas();
    const { port } = await start();
    await expect.poll(bundle).toContain("BEGIN CERTIFICATE");
    const answer = await ask({ port, path: "/validate", ca: await bundle(), kind, object });
    expect(answer.allowed).toBe(message === undefined);
    if (message !== undefined) expect(JSON.stringify(answer.status)).toContain(message);
  }
});

test("a Secret that somebody spoils is made anew, and shown and announced while the webhook runs", async () => {
  const { client, start, bundle } = await replicas();
  const { port } = await start();
  await expect.poll(bundle).toContain("BEGIN CERTIFICATE");
  const before = await bundle();
  const secret = await client.get(SecretKind, SECRET);
  await client.update(SecretKind, { ...secret, data: {} });
  await expect.poll(bundle).not.toBe(before);
  await expect
    .poll(async () => {
      const ca = await bundle();
      return ask({ port, path: "/inject", ca, kind: "Pod", object: pod() }).then(
        ({ allowed }) => allowed,
        () => false,
      );
    })
    .toBe(true);
});
