import {
  type AnyObject,
  ConfigurationKind,
  DomainMappingKind,
  type Kind,
  KnativeServiceKind,
  KubeError,
  type KubeObject,
  MetricKind,
  ObjectStore,
  PodAutoscalerKind,
  RevisionKind,
  RouteKind,
  SeededRandom,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { describe, expect, test } from "vitest";
import { ServingAdmission } from "./serving-admission.ts";
import { type AdmissionSettings, defaultSettings } from "./settings.ts";

const DENIED =
  'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: ';
const containers = [{ image: "example.com/hello:1" }];

function setup(settings: Partial<AdmissionSettings> = {}) {
  const clock = new VirtualClock();
  const admission = new ServingAdmission(() => ({ ...defaultSettings, requiresImage: true, ...settings }));
  return new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1), admission });
}

function make(kind: Kind<KubeObject>, spec: unknown, metadata: object = {}): AnyObject {
  const apiVersion = "serving.knative.dev/v1";
  return {
    apiVersion,
    kind: kind.kind,
    metadata: { name: "hello", namespace: "default", ...metadata },
    spec,
  };
}

const service = (template: object, more: object = {}, metadata: object = {}) =>
  make(KnativeServiceKind, { template: { spec: { containers }, ...template }, ...more }, metadata);

/** What a create is refused with, without the webhook's introduction. */
function refusal(object: AnyObject, kind: Kind<KubeObject> = KnativeServiceKind, settings = {}): string {
  try {
    setup(settings).create(kind, object);
  } catch (error) {
    if (error instanceof KubeError) return error.message.replace(DENIED, "");
    throw error;
  }
  return "";
}

describe("defaults (§14.2, C-143)", () => {
  test("a Service with one container gets all of them", () => {
    const { spec } = setup().create(KnativeServiceKind, service({}));
    expect(spec).toEqual({
      template: {
        spec: {
          containerConcurrency: 0,
          timeoutSeconds: 300,
          enableServiceLinks: false,
          containers: [
            {
              name: "user-container",
              image: "example.com/hello:1",
              resources: {},
              readinessProbe: { tcpSocket: { port: 0 }, successThreshold: 1 },
            },
          ],
        },
      },
      traffic: [{ latestRevision: true, percent: 100 }],
    });
  });

  test("are applied once: a second pass changes nothing", () => {
    const store = setup();
    const created = store.create(KnativeServiceKind, service({}));
    expect(store.update(KnativeServiceKind, created)).toBe(created);
  });

  test("a bare Route gets no traffic", () => {
    const traffic = [{ configurationName: "hello", percent: 100 }];
    const { spec } = setup().create(RouteKind, make(RouteKind, { traffic }));
    expect(spec).toEqual({ traffic: [{ configurationName: "hello", latestRevision: true, percent: 100 }] });
  });

  test.each<{ why: string; spec: object; want: object }>([
    { why: "a timeout of 0 is none", spec: { timeoutSeconds: 0 }, want: { timeoutSeconds: 300 } },
    {
      why: "a longer timeout brings the limit on the first byte",
      spec: { timeoutSeconds: 400 },
      want: { timeoutSeconds: 400, responseStartTimeoutSeconds: 300 },
    },
    { why: "a shorter one does not", spec: { timeoutSeconds: 100 }, want: { timeoutSeconds: 100 } },
  ])("$why", ({ spec, want }) => {
    const created = setup().create(KnativeServiceKind, service({ spec: { containers, ...spec } }));
    const { template } = created.spec as { template: { spec: object } };
    const { timeoutSeconds, responseStartTimeoutSeconds } = template.spec as Record<string, unknown>;
    expect({ timeoutSeconds, responseStartTimeoutSeconds }).toEqual({
      responseStartTimeoutSeconds: undefined,
      ...want,
    });
  });

  test("several unnamed containers are numbered past the names that are taken", () => {
    const many = [
      { image: "a", ports: [{ containerPort: 8080 }] },
      { image: "b", name: "user-container-1" },
      { image: "c" },
    ];
    const created = setup().create(KnativeServiceKind, service({ spec: { containers: many } }));
    const { template } = created.spec as {
      template: { spec: { containers: { name: string; readinessProbe?: object }[] } };
    };
    expect(template.spec.containers.map(({ name }) => name)).toEqual([
      "user-container-0",
      "user-container-1",
      "user-container-2",
    ]);
    expect(template.spec.containers.map(({ readinessProbe }) => readinessProbe !== undefined)).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("a probe keeps what it says, and gets what goes with a period", () => {
    const readinessProbe = { httpGet: { path: "/" }, periodSeconds: 5 };
    const created = setup().create(
      KnativeServiceKind,
      service({ spec: { containers: [{ image: "a", readinessProbe }] } }),
    );
    const { template } = created.spec as { template: { spec: { containers: { readinessProbe: object }[] } } };
    expect(template.spec.containers[0]?.readinessProbe).toEqual({
      httpGet: { path: "/" },
      periodSeconds: 5,
      successThreshold: 1,
      failureThreshold: 3,
      timeoutSeconds: 1,
    });
  });

  test("a template whose name stays is not defaulted (C-148)", () => {
    const before = service({ metadata: { name: "hello-a" } });
    const store = setup();
    const created = store.create(KnativeServiceKind, before);
    const old = { ...created, spec: before.spec };
    const admission = new ServingAdmission();
    const admitted = admission.admit({
      operation: "update",
      subresource: undefined,
      kind: KnativeServiceKind,
      object: old,
      before: { ...created, spec: before.spec },
    });
    expect(admitted.spec).toMatchObject({
      template: before.spec instanceof Object ? Reflect.get(before.spec, "template") : {},
    });
    expect(JSON.stringify(admitted.spec)).not.toContain("timeoutSeconds");
  });
});

test("a named template that is applied again, without what was filled in, is no change of it (C-148)", () => {
  const store = setup();
  const object = service({ metadata: { name: "hello-a" } });
  const created = store.create(KnativeServiceKind, object);
  const again = store.update(KnativeServiceKind, { ...created, spec: object.spec });
  expect(again).toMatchObject({ spec: created.spec, metadata: { generation: 1 } });
  const other = service({
    metadata: { name: "hello-a" },
    spec: { containers: [{ image: "example.com/b" }] },
  });
  expect(() => store.update(KnativeServiceKind, { ...created, spec: other.spec })).toThrow(
    "without a name change",
  );
});

describe("refusals (CV-36, §14.4, C-146, C-151, C-152, C-153)", () => {
  test.each<{
    why: string;
    spec?: object;
    template?: object;
    more?: object;
    metadata?: object;
    want: string;
  }>([
    {
      why: "concurrency below 0",
      spec: { containerConcurrency: -1 },
      want: "expected 0 <= -1 <= 1000: spec.template.spec.containerConcurrency",
    },
    {
      why: "a timeout above the largest",
      spec: { timeoutSeconds: 601 },
      want: "expected 0 <= 601 <= 600: spec.template.spec.timeoutSeconds",
    },
    {
      why: "no image",
      spec: { containers: [{ name: "a" }] },
      want: "missing field(s): spec.template.spec.containers[0].image",
    },
    {
      why: "traffic that does not add up",
      more: { traffic: [{ latestRevision: true, percent: 60 }] },
      want: "Traffic targets sum to 60, want 100: spec.traffic",
    },
    {
      why: "a template named after another",
      template: { metadata: { name: "other-1" } },
      want: 'invalid value: "other-1" must have prefix "hello-": spec.template.metadata.name',
    },
    {
      why: "autoscaling annotations on the Service (S-14)",
      metadata: { annotations: { "autoscaling.knative.dev/min-scale": "1" } },
      want: 'invalid key name "autoscaling.knative.dev/min-scale": metadata.annotations\nautoscaling annotations must be put under "spec.template.metadata.annotations" to work',
    },
    {
      why: "a node selector",
      spec: { nodeSelector: { a: "b" } },
      want: "must not set the field(s): spec.template.spec.nodeSelector",
    },
    {
      why: "fields of pods that are never allowed",
      spec: { restartPolicy: "Always", terminationGracePeriodSeconds: 5, automountServiceAccountToken: true },
      want: "must not set the field(s): spec.template.spec.automountServiceAccountToken, spec.template.spec.restartPolicy, spec.template.spec.terminationGracePeriodSeconds",
    },
    {
      why: "an annotation out of bounds",
      template: { metadata: { annotations: { "autoscaling.knative.dev/window": "1s" } } },
      want: "expected 6s <= 1s <= 1h0m0s: spec.template.metadata.annotations.autoscaling.knative.dev/window",
    },
    {
      why: "a progress deadline with fractions (S-15)",
      template: { metadata: { annotations: { "serving.knative.dev/progress-deadline": "1.5s" } } },
      want: "1.5s is not specified with at most second precision: spec.template.metadata.annotations.serving.knative.dev/progress-deadline",
    },
    {
      why: "an unknown networking annotation on a template",
      template: { metadata: { annotations: { "networking.knative.dev/what": "1" } } },
      want: 'invalid key name "networking.knative.dev/what": spec.template.metadata.annotations\nthere is no such networking annotation',
    },
    {
      why: "a sidecar share out of bounds",
      template: {
        metadata: { annotations: { "queue.sidecar.serving.knative.dev/resource-percentage": "200" } },
      },
      want: "expected 0.1 <= 200 <= 100: spec.template.metadata.annotations.queue.sidecar.serving.knative.dev/resource-percentage",
    },
    {
      why: "a rollout duration that is none",
      metadata: { annotations: { "serving.knative.dev/rollout-duration": "soon" } },
      want: "invalid value: soon: metadata.annotations.serving.knative.dev/rollout-duration",
    },
    {
      why: "a revision name in traffic of the latest",
      more: { traffic: [{ latestRevision: true, revisionName: "a", percent: 100 }] },
      want: "may not set revisionName when latestRevision is true: spec.traffic[0].latestRevision",
    },
    {
      why: "a tag that is there twice, and one that is no label",
      more: {
        traffic: [
          { tag: "a", percent: 100 },
          { tag: "a", percent: 0 },
          { tag: "A_", percent: 0 },
        ],
      },
      want: "Multiple definitions for \"a\": spec.traffic[0].tag, spec.traffic[1].tag\ninvalid value: A_: spec.traffic[2].tag\na DNS-1035 label must consist of at most 63 lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
    },
    {
      why: "what only a Route or only a status says",
      more: { traffic: [{ configurationName: "a", url: "u", percent: 100 }] },
      want: "must not set the field(s): spec.traffic[0].configurationName, spec.traffic[0].url",
    },
    {
      why: "percents out of bounds",
      more: { traffic: [{ percent: 150 }, { revisionName: "b", percent: -50 }] },
      want: "expected 0 <= -50 <= 100: spec.traffic[1].percent\nexpected 0 <= 150 <= 100: spec.traffic[0].percent",
    },
    {
      why: "reserved names",
      spec: {
        containers: [
          { image: "a", name: "queue-proxy", env: [{ name: "PORT" }, { name: "K_SERVICE" }, { name: "OK" }] },
        ],
      },
      want: '"K_SERVICE" is a reserved environment variable: spec.template.spec.containers[0].env[1].name\n"PORT" is a reserved environment variable: spec.template.spec.containers[0].env[0].name\nqueue-proxy is a reserved container name: spec.template.spec.containers[0].name',
    },
    {
      why: "ports it cannot have",
      spec: {
        containers: [{ image: "a", ports: [{ containerPort: 70_000, name: "grpc", protocol: "UDP" }] }],
      },
      want: "Port name grpc is not allowed: spec.template.spec.containers[0].ports[0].name\nexpected 0 <= 70000 <= 65535: spec.template.spec.containers[0].ports[0].containerPort\ninvalid value: UDP: spec.template.spec.containers[0].ports[0].protocol",
    },
    {
      why: "two ports",
      spec: { containers: [{ image: "a", ports: [{ containerPort: 80 }, { containerPort: 81 }] }] },
      want: "more than one container port is set: spec.template.spec.containers[*].ports\nOnly a single port is allowed across all containers",
    },
    {
      why: "two containers without a port",
      spec: { containers: [{ image: "a" }, { image: "b" }] },
      want: "missing field(s): spec.template.spec.containers[*].ports",
    },
    {
      why: "probes with no way to ask, or several",
      spec: {
        containers: [
          { image: "a", livenessProbe: {}, startupProbe: { tcpSocket: {}, exec: { command: ["a"] } } },
        ],
      },
      want: "expected exactly one, got both: spec.template.spec.containers[0].startupProbe.exec, spec.template.spec.containers[0].startupProbe.tcpSocket\nexpected exactly one, got neither: spec.template.spec.containers[0].livenessProbe.exec, spec.template.spec.containers[0].livenessProbe.grpc, spec.template.spec.containers[0].livenessProbe.httpGet, spec.template.spec.containers[0].livenessProbe.tcpSocket",
    },
    {
      why: "thresholds without a period",
      spec: { containers: [{ image: "a", readinessProbe: { failureThreshold: 3 } }] },
      want: "failureThreshold is disallowed when periodSeconds is zero: spec.template.spec.containers[0].readinessProbe.failureThreshold",
    },
    {
      why: "a probe of a port by another name",
      spec: { containers: [{ image: "a", readinessProbe: { httpGet: { port: "web" } } }] },
      want: "invalid value: web: spec.template.spec.containers[0].readinessProbe.httpGet.port",
    },
    {
      why: "mounts without volume, volumes without mount",
      spec: {
        containers: [{ image: "a", volumeMounts: [{ name: "x", mountPath: "rel" }] }],
        volumes: [{ name: "y", emptyDir: {} }],
      },
      want: 'invalid value: rel: spec.template.spec.containers[0].volumeMounts[0].mountPath\nvolume with name "y" not mounted: spec.template.spec.volumes[0].name\nvolumeMount has no matching volume: spec.template.spec.containers[0].volumeMounts[0].name',
    },
    {
      why: "a privileged container",
      spec: { containers: [{ image: "a", securityContext: { privileged: true, runAsUser: -1 } }] },
      want: "expected 0 <= -1 <= 2147483647: spec.template.spec.containers[0].securityContext.runAsUser\nmust not set the field(s): spec.template.spec.containers[0].securityContext.privileged",
    },
    {
      why: "an image that is no reference",
      spec: { containers: [{ image: "bad image" }] },
      want: "Failed to parse image reference: spec.template.spec.containers[0].image",
    },
  ])("$why", ({ spec, template, more, metadata, want }) => {
    const own = { ...(spec === undefined ? {} : { spec: { containers, ...spec } }), ...template };
    expect(refusal(service(own, more, metadata))).toBe(want);
  });

  test("a Route with empty traffic sums to 0", () => {
    expect(refusal(make(RouteKind, { traffic: [] }), RouteKind)).toBe(
      "Traffic targets sum to 0, want 100: spec.traffic",
    );
  });

  test("a child that says whose it is needs the owner reference to show for it", () => {
    const metadata = { labels: { "serving.knative.dev/configuration": "c" } };
    expect(refusal(make(RevisionKind, { containers }, metadata), RevisionKind)).toBe(
      "missing field(s): metadata.labels.serving.knative.dev/configuration",
    );
    const ownerReferences = [
      { apiVersion: "serving.knative.dev/v1", kind: "Configuration", name: "c", uid: "u" },
    ];
    expect(refusal(make(RevisionKind, { containers }, { ...metadata, ownerReferences }), RevisionKind)).toBe(
      "",
    );
  });

  test("a wrong shape is refused before anything reads it", () => {
    expect(refusal(make(KnativeServiceKind, { template: { spec: { containers: "x" } } }))).toBe(
      'Service.serving.knative.dev "hello" is invalid: spec.template.spec.containers: Invalid value: expected a list of containers, got the string "x"',
    );
    expect(refusal(make(KnativeServiceKind, {}))).toBe(
      'Service.serving.knative.dev "hello" is invalid: spec.template: Required value',
    );
    expect(refusal(make(ConfigurationKind, null), ConfigurationKind)).toBe(
      'Configuration.serving.knative.dev "hello" is invalid: spec: Required value',
    );
  });

  test("a command stands in for an image where none is pulled", () => {
    const settings = { requiresImage: false };
    const run = (container: object, annotations = {}) =>
      refusal(
        service({ metadata: { annotations }, spec: { containers: [container] } }),
        KnativeServiceKind,
        settings,
      );
    expect(run({ command: ["node"] })).toBe("");
    expect(run({ name: "a" }, { "rouse.dev/command": "node a.js" })).toBe("");
    expect(run({ name: "a" })).toContain("missing field(s): spec.template.spec.containers[0].image");
  });
});

describe("updates", () => {
  test("of a Revision's spec are refused, of its labels are not (C-38)", () => {
    const store = setup();
    const created = store.create(RevisionKind, make(RevisionKind, { containers }));
    expect(() =>
      store.update(RevisionKind, { ...created, spec: { containers: [{ image: "other" }] } }),
    ).toThrow("Immutable fields changed (-old +new): spec");
    const metadata = { ...created.metadata, labels: { a: "b" } };
    expect(store.update(RevisionKind, { ...created, metadata }).metadata.labels).toEqual({ a: "b" });
  });

  test("of a Revision get no defaults that have changed since (C-149)", () => {
    let timeout = 300;
    const clock = new VirtualClock();
    const admission = new ServingAdmission(() => ({ ...defaultSettings, revisionTimeoutSeconds: timeout }));
    const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1), admission });
    const created = store.create(RevisionKind, make(RevisionKind, { containers }));
    timeout = 100;
    const body = { metadata: { labels: { a: "b" } } };
    expect(store.patch(RevisionKind, created.metadata, { kind: "merge", body }).spec).toEqual(created.spec);
  });

  test("of a named template need another name", () => {
    const store = setup();
    const created = store.create(KnativeServiceKind, service({ metadata: { name: "hello-a" } }));
    const changed = (name: string) =>
      service({ metadata: { name }, spec: { containers: [{ image: "b" }] } }).spec;
    expect(() => store.update(KnativeServiceKind, { ...created, spec: changed("hello-a") })).toThrow(
      "Saw the following changes without a name change (-old +new): spec.template.metadata.name",
    );
    expect(
      store.update(KnativeServiceKind, { ...created, spec: changed("hello-b") }).metadata.generation,
    ).toBe(2);
  });

  test("of a status are not checked again when settings became stricter (C-144)", () => {
    const clock = new VirtualClock();
    let settings = defaultSettings;
    const admission = new ServingAdmission(() => settings);
    const store = new ObjectStore({ wall: () => clock.wall(), random: new SeededRandom(1), admission });
    const created = store.create(KnativeServiceKind, service({ spec: { containers, timeoutSeconds: 500 } }));
    settings = { ...defaultSettings, revisionTimeoutSecondsMax: 100 };
    expect(store.update(KnativeServiceKind, { ...created, status: { url: "u" } }, "status").status).toEqual({
      url: "u",
    });
    expect(() =>
      store.patch(KnativeServiceKind, created.metadata, { kind: "merge", body: { spec: { x: 1 } } }),
    ).toThrow("expected 0 <= 500 <= 100");
  });

  test("note who made an object, and who last changed its spec; an owned object says what its owner says (C-145)", () => {
    const store = setup();
    const authors = { "serving.knative.dev/creator": "rouse", "serving.knative.dev/lastModifier": "rouse" };
    const forged = { "serving.knative.dev/creator": "root", own: "kept" };
    const created = store.create(KnativeServiceKind, service({}, {}, { annotations: forged }));
    expect(created.metadata.annotations).toEqual({ ...authors, own: "kept" });
    const body = { metadata: { annotations: { "serving.knative.dev/lastModifier": "you" } } };
    expect(() => store.patch(KnativeServiceKind, created.metadata, { kind: "merge", body })).toThrow(
      "annotation value is immutable: metadata.annotations.serving.knative.dev/lastModifier",
    );
    const ownerReferences = [
      { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "hello", uid: created.metadata.uid },
    ];
    const owned = make(
      RouteKind,
      { traffic: [{ percent: 100, configurationName: "hello" }] },
      { ownerReferences },
    );
    expect(store.create(RouteKind, owned).metadata.annotations).toBeUndefined();
    const { ownerReferences: _, ...lone } = owned.metadata;
    const stored = store.create(RouteKind, { ...owned, metadata: { ...lone, name: "lone" } });
    expect(stored.metadata.annotations).toEqual(authors);
  });

  test("children that are left behind by their owner may lose the reference and keep the label", () => {
    const store = setup();
    const owner = { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "hello", uid: "u" };
    const labels = { "serving.knative.dev/service": "hello" };
    const spec = { traffic: [{ percent: 100, configurationName: "hello" }] };
    expect(() => store.create(RouteKind, make(RouteKind, spec, { labels }))).toThrow("missing field(s)");
    const made = store.create(RouteKind, make(RouteKind, spec, { labels, ownerReferences: [owner] }));
    const body = { metadata: { ownerReferences: [] } };
    expect(store.patch(RouteKind, made.metadata, { kind: "merge", body }).metadata.labels).toEqual(labels);
  });

  test("may not change who created it (C-145)", () => {
    const store = setup();
    const created = store.create(KnativeServiceKind, service({}));
    const body = { metadata: { annotations: { "serving.knative.dev/creator": "you" } } };
    expect(() => store.patch(KnativeServiceKind, created.metadata, { kind: "merge", body })).toThrow(
      "annotation value is immutable: metadata.annotations.serving.knative.dev/creator",
    );
  });
});

describe("C-2: fields nobody knows are not stored", () => {
  test("at any depth; what is open keeps its own", () => {
    const created = setup().create(
      KnativeServiceKind,
      service(
        {
          metadata: { labels: { a: "b" }, customKey: "kept" },
          spec: {
            containers: [{ ...containers[0], imageX: 1, securityContext: { runAsUser: 7 } }],
            more: [],
          },
        },
        { what: { is: "this" } },
      ),
    );
    const text = JSON.stringify(created);
    for (const gone of ["imageX", "more", "what"]) expect(text).not.toContain(`"${gone}"`);
    expect(text).toContain('"customKey":"kept"');
    expect(text).toContain('"runAsUser":7');
  });
});

describe("C-133, CV-35: domain mappings", () => {
  const ref = { kind: "Service", apiVersion: "serving.knative.dev/v1", name: "hello" };
  const mapping = (name: string, of: object = {}): AnyObject => ({
    apiVersion: "serving.knative.dev/v1beta1",
    kind: "DomainMapping",
    metadata: { name, namespace: "default" },
    spec: { ref: { ...ref, ...of } },
  });

  test("get the reference's namespace, and say who made them", () => {
    const { spec, metadata } = setup().create(DomainMappingKind, mapping("www.acme.io"));
    expect(spec).toEqual({ ref: { ...ref, namespace: "default" } });
    expect(metadata.annotations).toMatchObject({ "serving.knative.dev/creator": "rouse" });
  });

  test.each([
    { object: mapping("invalid"), want: "invalid value: invalid: metadata.name\nshould be a domain" },
    { object: mapping("x.svc.cluster.local"), want: "invalid value: x.svc.cluster.local: metadata.name" },
    { object: mapping("a..b"), want: "a..b" },
    { object: mapping("www.acme.io", { name: "" }), want: "missing field(s): spec.ref.name" },
    { object: mapping("www.acme.io", { group: "g" }), want: "must not set the field(s): spec.ref.group" },
    {
      object: mapping("www.acme.io", { namespace: "other" }),
      want: "invalid value: other: spec.ref.namespace",
    },
  ])("$want", ({ object, want }) => {
    expect(refusal(object, DomainMappingKind)).toContain(want);
  });
});

test("S-14: autoscaling annotations of a PodAutoscaler and a Metric are checked as on templates", () => {
  const scaled = (kind: string): AnyObject => ({
    apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
    kind,
    metadata: {
      name: "hello",
      namespace: "default",
      annotations: { "autoscaling.knative.dev/min-scale": "-1" },
    },
    spec: {},
  });
  const want = "expected 0 <= -1 <= 2147483647: metadata.annotations.autoscaling.knative.dev/min-scale";
  expect(refusal(scaled("PodAutoscaler"), PodAutoscalerKind)).toBe(want);
  expect(refusal(scaled("Metric"), MetricKind)).toBe(want);
});

describe("a schedule is read before it is stored", () => {
  const wrong = { "rouse.dev/schedule": "0 8 * * 1-5 for 10h min=2; whenever min=5" };
  const problem = "whenever min=5: expected <cron> for <duration> [min=<n>] [max=<n>] [tz=<zone>]";
  const says = (path: string): string =>
    `invalid value: ${wrong["rouse.dev/schedule"]}: ${path}.rouse.dev/schedule\n${problem}`;

  test("of a template, and of a PodAutoscaler", () => {
    expect(refusal(service({ metadata: { annotations: wrong } }))).toBe(
      says("spec.template.metadata.annotations"),
    );
    const scaled = {
      ...make(PodAutoscalerKind, {}, { annotations: wrong }),
      apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
    };
    expect(refusal(scaled, PodAutoscalerKind)).toBe(says("metadata.annotations"));
  });

  test.each([
    { schedule: "61 8 * * * for 1h min=1", why: "a minute there is not" },
    { schedule: "0 8 * * * for 1h min=1 tz=Mars/Base", why: "a zone there is not" },
    { schedule: "0 8 * * * for 30s min=1", why: "a window too short" },
    { schedule: "0 8 * * * for 1h min=3 max=2", why: "a ceiling below its floor" },
    { schedule: "0 8 * * * for 1h", why: "nothing said" },
  ])("refused: $why", ({ schedule }) => {
    const template = { metadata: { annotations: { "rouse.dev/schedule": schedule } } };
    expect(refusal(service(template))).toContain("spec.template.metadata.annotations.rouse.dev/schedule");
  });

  test("on the Service itself it would do nothing, and is refused with a hint", () => {
    const annotations = { "rouse.dev/schedule": "0 8 * * * for 1h min=1" };
    expect(refusal(service({}, {}, { annotations }))).toContain(
      'a schedule must be put under "spec.template.metadata.annotations" to work',
    );
    expect(refusal(service({ metadata: { annotations } }))).toBe("");
  });
});

test("C-157: names of containers may be templates over the object's own metadata", () => {
  const template = '{{.Name}}-{{ index .Labels "team" }}{{.UID}}';
  const { spec } = setup({ containerName: template }).create(
    KnativeServiceKind,
    service({}, {}, { labels: { team: "a" } }),
  );
  expect(JSON.stringify(spec)).toContain('"name":"hello-a"');
});
