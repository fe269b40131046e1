import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { apiCalls, type Right, right } from "./api-calls.ts";
import { at, listAt, type Manifest } from "./manifest.ts";
import { programSources } from "./program-sources.ts";
import { rightsOf } from "./rbac-rights.ts";
import { recordedRights } from "./recorded-rights.ts";
import { manifestsOf } from "./render.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string): readonly Manifest[] =>
  manifestsOf(readFileSync(join(root, "deploy", path), "utf8"));
const manifests = read("kubernetes/rbac.yaml");

/** Calls whose kind is a parameter, and what it can be. */
const INDIRECT: Readonly<Record<string, readonly Right[]>> = {
  // Whoever keeps a cache, and those that write a status, are found where they name their kind.
  "packages/shared/src/kube/informer.ts list": [],
  "packages/shared/src/kube/informer.ts watch": [],
  "packages/shared/src/kube/write-status.ts updateStatus": [],
  "packages/shared/src/kube/write-status.ts get": [],
  "packages/controller/src/pass/ownership.ts create": [],
  "packages/controller/src/pass/ownership.ts get": [],
  "packages/controller/src/adoption/adoption-controller.ts patch": [
    right("PodAutoscalerKind", "patch"),
    right("DeploymentKind", "patch"),
  ],
  "packages/controller/src/webhook/certificate-keeper.ts patch": [
    right("MutatingWebhookConfigurationKind", "patch"),
    right("ValidatingWebhookConfigurationKind", "patch"),
  ],
};

/** What the API server asks for by itself, beyond the verb of the request (deploy/kubernetes/rbac.yaml). */
const OF_THE_SERVER: Readonly<Record<string, readonly Right[]>> = {
  autoscaler: [
    "endpointslices.discovery.k8s.io/restricted create",
    "podautoscalers.autoscaling.internal.knative.dev/finalizers update",
  ],
  controller: [
    "endpoints/restricted create",
    "serverlessservices.networking.internal.knative.dev/finalizers update",
  ],
};

function called(program: string): readonly Right[] {
  const { rights, indirect } = apiCalls(programSources(root, program));
  const further = indirect.flatMap((call) => {
    const known = INDIRECT[call];
    if (known === undefined) throw new Error(`${call}: say in INDIRECT what kinds it is for`);
    return known;
  });
  return [...new Set([...rights, ...further, ...(OF_THE_SERVER[program] ?? [])])].sort();
}

describe("roles give what the programs call, and nothing else", () => {
  test("autoscaler", () => {
    expect([...rightsOf(manifests, "autoscaler")].sort()).toEqual(called("autoscaler"));
  });

  test("K-98: controller, addresses of other namespaces included", () => {
    expect([...rightsOf(manifests, "rouse-controller")].sort()).toEqual(called("controller"));
  });

  test("A-5: the activator, without Revisions here, without PodAutoscalers and pods inside Knative", () => {
    // Nor Secrets: they are for TLS to pods, which takes certificates that Knative makes.
    const knatives = ["RevisionKind", "SecretKind"].flatMap((kind) =>
      ["list", "watch"].map((verb) => right(kind, verb)),
    );
    const ours = ["PodAutoscalerKind", "PodKind", "EndpointSliceKind"].flatMap((kind) =>
      ["list", "watch"].map((verb) => right(kind, verb)),
    );
    const all = called("activator");
    expect([...rightsOf(manifests, "activator")].sort()).toEqual(
      all.filter((each) => !knatives.includes(each)),
    );
    const reading = ["get", "list", "watch"];
    const stock = ["configmaps", "secrets", "services", "endpoints", "revisions.serving.knative.dev"];
    const allowed = new Set(stock.flatMap((resource) => reading.map((verb) => `${resource} ${verb}`)));
    expect(all.filter((each) => !ours.includes(each) && !allowed.has(each))).toEqual([]);
  });
});

/**
 * Rights no program was seen to use, and why they are there all the same: a right that is missing on the day it is
 * needed is an outage.
 */
const UNSEEN: Readonly<Record<string, Readonly<Record<Right, string>>>> = {
  "rouse-activator": {
    "pods list": "ROUSE_WATCH_PODS, which the recording does not set",
    "pods watch": "the same",
    "endpointslices.discovery.k8s.io list": "ROUSE_ENDPOINTS=slices",
    "endpointslices.discovery.k8s.io watch": "the same",
  },
  autoscaler: {
    "endpointslices.discovery.k8s.io delete": "a holder of the other address family follows",
    "endpointslices.discovery.k8s.io list": "ROUSE_ENDPOINTS=slices",
    "endpointslices.discovery.k8s.io watch": "the same",
    "events get": "the same thing happens twice",
    "events update": "the same",
    "horizontalpodautoscalers.autoscaling create": "a PodAutoscaler of the class hpa",
    "horizontalpodautoscalers.autoscaling update": "the same, changed",
    "metrics.autoscaling.internal.knative.dev get": "a status was written by two",
    "metrics.autoscaling.internal.knative.dev update": "windows were changed",
    "pods patch": "which pods go first when there are to be fewer",
    "podautoscalers.autoscaling.internal.knative.dev get": "a status was written by two",
    "serverlessservices.networking.internal.knative.dev update": "the mode changes",
  },
  "rouse-controller": {
    "endpoints get": "created by two",
    "endpointslices.discovery.k8s.io list": "ROUSE_ENDPOINTS=slices",
    "endpointslices.discovery.k8s.io watch": "the same",
    "podautoscalers.autoscaling.internal.knative.dev get": "a pod comes before the watch shows who scales it",
    "services get": "created by two",
    "services update": "somebody changed a port or the selector",
    "events create": "an object of ours is somebody else's",
    "events get": "the same, twice",
    "events update": "the same",
    "secrets update": "the certificate is renewed",
    "serverlessservices.networking.internal.knative.dev get": "a status was written by two",
  },
};

describe("roles give what the programs were seen to use under load and failures (pnpm cluster-test --verbs)", () => {
  const recorded: Readonly<Record<string, readonly string[]>> = JSON.parse(
    readFileSync(join(import.meta.dirname, "fixtures/used-verbs.json"), "utf8"),
  );
  const accounts = [
    ["rouse-activator", "activator", "activator"],
    ["autoscaler", "autoscaler", "autoscaler"],
    ["rouse-controller", "rouse-controller", "controller"],
  ] as const;

  test.each(accounts)("%s, each right where it was used", (agent, account) => {
    const used = recordedRights(recorded[agent] ?? []);
    expect(used.everywhere.size).toBeGreaterThan(3);
    const everywhere = rightsOf(manifests, account, "everywhere");
    const inNamespace = rightsOf(manifests, account, "namespace");
    expect([...used.everywhere].filter((each) => !everywhere.has(each))).toEqual([]);
    const missing = [...used.namespace].filter((each) => !inNamespace.has(each) && !everywhere.has(each));
    expect(missing).toEqual([]);
    // What was never used outside the namespace is not given outside.
    const tooWide = [...used.namespace].filter((each) => !used.everywhere.has(each) && everywhere.has(each));
    expect(tooWide).toEqual([]);
  });

  test.each(accounts)("%s: what was not seen has its reason", (agent, account, program) => {
    const { everywhere, namespace } = recordedRights(recorded[agent] ?? []);
    const given = [...rightsOf(manifests, account)];
    const unseen = given.filter(
      (each) =>
        !everywhere.has(each) && !namespace.has(each) && OF_THE_SERVER[program]?.includes(each) !== true,
    );
    expect(unseen.sort()).toEqual(Object.keys(UNSEEN[agent] ?? {}).sort());
  });
});

test("inside Knative the ServerlessService controller has a part of what it has on plain Kubernetes", () => {
  const inside = rightsOf(read("knative/serverless-service/rbac.yaml"), "rouse-controller");
  const outside = rightsOf(manifests, "rouse-controller");
  expect([...inside].filter((each) => !outside.has(each))).toEqual([]);
  expect(
    [...inside].filter((each) => /secrets|webhook|podautoscalers|deployments\S* patch/.test(each)),
  ).toEqual([]);
});

test("of Secrets and webhook configurations each only the one that is its own", () => {
  for (const role of manifests.filter(({ kind }) => /Role$/.test(kind))) {
    for (const rule of listAt(role, "rules")) {
      const isNarrow = /secrets|webhookconfigurations/.test(listAt(rule, "resources").join());
      const isCreate = listAt(rule, "verbs").join() === "create"; // a name cannot be asked for then
      if (isNarrow && !isCreate) expect(at(rule, "resourceNames")).toHaveLength(1);
    }
  }
});

test("calls are found in the shapes they have: through a cache, with a subresource, by a parameter", () => {
  const text = `
    new Informer<Pod>(deps, PodKind, {});
    this.#deps.client.patch(
      DeploymentKind, { namespace, name }, { kind: "json", operations: f(x) }, "scale",
    );
    await writeStatus(this.#deps.client, MetricKind, metric, status);
    client.delete(kind, ref);
    await client.create(LeaseKind, { spec: {} });`;
  const { rights, indirect } = apiCalls([{ path: "x.ts", text }]);
  expect([...rights].sort()).toEqual([
    "deployments.apps/scale patch",
    "leases.coordination.k8s.io create",
    "metrics.autoscaling.internal.knative.dev get",
    "metrics.autoscaling.internal.knative.dev/status update",
    "pods list",
    "pods watch",
  ]);
  expect(indirect).toEqual(["x.ts delete"]);
});
