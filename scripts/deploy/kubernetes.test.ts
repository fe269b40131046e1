import { resolve } from "node:path";
import { defaultAutoscalerConfig, parseAutoscalerConfig } from "@rouse/autoscaler";
import { ACTIVATOR_SERVICE, EACH_ACTIVATOR_SERVICE, portNames, ports, SYSTEM_NAMESPACE } from "@rouse/shared";
import { beforeAll, describe, expect, test } from "vitest";
import { builtInProblems } from "./built-in-schemas.ts";
import { CustomSchemas } from "./custom-schemas.ts";
import { at, listAt, type Manifest, nameOf } from "./manifest.ts";
import { programSources } from "./program-sources.ts";
import { canRender, Renderer } from "./render.ts";

const folder = resolve(import.meta.dirname, "../../deploy/kubernetes");

describe.skipIf(!canRender)("kubectl apply -k deploy/kubernetes", () => {
  let manifests: readonly Manifest[] = [];
  const all = (kind: string): readonly Manifest[] => manifests.filter((each) => each.kind === kind);
  const one = (kind: string, name: string): Manifest => {
    const found = all(kind).filter(({ metadata }) => metadata.name === name);
    if (found[0] === undefined || found.length > 1) throw new Error(`${found.length} of ${kind} ${name}`);
    return found[0];
  };
  const container = (deployment: Manifest): unknown =>
    at(deployment, "spec", "template", "spec", "containers", 0);

  beforeAll(async () => {
    using renderer = new Renderer();
    manifests = await renderer.render(folder);
  }, 60_000); // kustomize is a process, and the machine may be busy

  test("every object meets the schema of its kind, and has no member the kind does not know", () => {
    expect(manifests.length).toBeGreaterThan(20);
    const problems = manifests.flatMap((manifest) =>
      builtInProblems(manifest).map((problem) => `${nameOf(manifest)}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });

  test("the check sees a wrong type, a missing member, a misspelt one and a kind nobody has", () => {
    const metadata = { name: "x" };
    const template = { spec: { containers: [{ image: "a" }] } };
    const wrong = (spec: object) =>
      builtInProblems({ apiVersion: "apps/v1", kind: "Deployment", metadata, ...{ spec } }).join("; ");
    const selector = { matchLabels: {} };
    expect(wrong({ selector, template, replicas: "2" })).toContain("/replicas must be integer");
    expect(wrong({ selector, template })).toContain("must have required property name");
    expect(wrong({ selector, template, replica: 2 })).toContain(
      "/spec/replica is no member of V1DeploymentSpec",
    );
    expect(builtInProblems({ apiVersion: "v1", kind: "Pot", metadata })).toEqual(["no schema for v1 Pot"]);
  });

  test("everything is in the namespace the programs look in, and nothing of the default one is touched", () => {
    expect(all("Namespace").map(({ metadata }) => metadata.name)).toEqual([SYSTEM_NAMESPACE]);
    const elsewhere = manifests.filter(({ metadata: { namespace } }) => namespace !== undefined);
    expect([...new Set(elsewhere.map(({ metadata }) => metadata.namespace))]).toEqual([SYSTEM_NAMESPACE]);
    expect(at(one("Namespace", SYSTEM_NAMESPACE), "metadata", "labels")).toMatchObject({
      "pod-security.kubernetes.io/enforce": "restricted",
    });
  });

  test("every pod runs as nobody in particular, on a read-only root, with nothing it could become more by (Q-164)", () => {
    for (const deployment of all("Deployment")) {
      expect(at(deployment, "spec", "template", "spec", "securityContext"), nameOf(deployment)).toEqual({
        runAsNonRoot: true,
        runAsUser: 65_532,
        runAsGroup: 65_532,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(at(container(deployment), "securityContext")).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(at(container(deployment), "resources")).toMatchObject({
        requests: { cpu: expect.anything(), memory: expect.anything() },
        limits: { memory: expect.anything() },
      });
    }
  });

  test("images are set in one place, the sidecar's among them", () => {
    const images = [
      ...all("Deployment").map((deployment) => at(container(deployment), "image")),
      at(one("ConfigMap", "config-deployment"), "data", "queue-sidecar-image"),
    ];
    const names = ["activator", "autoscaler", "controller", "queue-proxy"];
    expect(images.sort()).toEqual(names.map((name) => `registry.example.com/rouse/${name}:0.1.0`));
  });

  test("K-16, K-31, S-143: Services lead to the ports the programs listen on, by the names others look for", () => {
    const portsOf = (service: string): Readonly<Record<string, unknown>> =>
      Object.fromEntries(
        listAt(one("Service", service), "spec", "ports").map((port) => [
          at(port, "name"),
          [at(port, "port"), at(port, "targetPort")],
        ]),
      );
    expect(portsOf(ACTIVATOR_SERVICE)).toMatchObject({
      [portNames.http]: [ports.serviceHttp, ports.queueHttp],
      [portNames.h2c]: [ports.serviceH2c, ports.queueH2c],
    });
    expect(portsOf(EACH_ACTIVATOR_SERVICE)).toEqual({ http: [ports.queueHttp, ports.queueHttp] });
    expect(at(one("Service", EACH_ACTIVATOR_SERVICE), "spec", "clusterIP")).toBe("None");
    expect(portsOf("autoscaler")).toMatchObject({ http: [8080, 8080], "http-metrics": [9090, 9090] });
    for (const service of all("Service")) {
      const selector = at(service, "spec", "selector");
      const selected = all("Deployment").filter((deployment) => {
        const own: unknown = at(deployment, "spec", "template", "metadata", "labels");
        return Object.entries(Object(selector)).every(([key, value]) => at(own, key) === value);
      });
      expect(selected, nameOf(service)).toHaveLength(1);
      const open = listAt(container(selected[0] ?? service), "ports").map((port) =>
        at(port, "containerPort"),
      );
      for (const port of listAt(service, "spec", "ports")) expect(open).toContain(at(port, "targetPort"));
    }
  });

  test("variables are those the programs read, and each program is given those it cannot do without", () => {
    const root = resolve(folder, "../..");
    for (const [name, program] of [
      ["activator", "activator"],
      ["autoscaler", "autoscaler"],
      ["rouse-controller", "controller"],
    ] as const) {
      const code = programSources(root, program)
        .map(({ text }) => text)
        .join("\n");
      const given = listAt(container(one("Deployment", name)), "env").map((each) => String(at(each, "name")));
      expect(given, name).toEqual(expect.arrayContaining(["POD_NAME", "POD_IP", "SYSTEM_NAMESPACE"]));
      // The autoscaler's namespace is the contract's; the variable is there for those who template the manifest.
      const read = given.filter((each) => new RegExp(`["'.]${each}\\b`).test(code));
      expect([...new Set([...read, "SYSTEM_NAMESPACE"])].sort(), name).toEqual(given.sort());
    }
  });

  test("what has several replicas keeps them apart and loses one at a time", () => {
    for (const deployment of all("Deployment")) {
      const labels = at(deployment, "spec", "template", "metadata", "labels");
      const term = at(
        listAt(
          deployment,
          ...["spec", "template", "spec", "affinity", "podAntiAffinity"],
          "preferredDuringSchedulingIgnoredDuringExecution",
        )[0],
        "podAffinityTerm",
      );
      expect(labels).toMatchObject(Object(at(term, "labelSelector", "matchLabels")));
      const budget = all("PodDisruptionBudget").find(
        (each) => at(each, "spec", "selector", "matchLabels", "app") === at(labels, "app"),
      );
      expect(at(budget, "spec", "maxUnavailable"), nameOf(deployment)).toBe(1);
    }
    expect(at(one("Deployment", "autoscaler"), "spec", "replicas")).toBe(2);
    expect(at(one("Deployment", "rouse-controller"), "spec", "replicas")).toBe(2);
    // With a number of its own, each apply would undo what its autoscaler decided.
    expect(at(one("Deployment", "activator"), "spec", "replicas")).toBeUndefined();
    expect(at(one("HorizontalPodAutoscaler", "activator"), "spec", "minReplicas")).toBe(2);
  });

  test("settings are the programs' own defaults, as their comments say", () => {
    const data = Object(at(one("ConfigMap", "config-autoscaler"), "data"));
    expect(parseAutoscalerConfig(data)).toEqual({
      kind: "valid",
      config: defaultAutoscalerConfig,
      ignored: [],
    });
  });

  test("K-7, K-8, S-18, S-23: kinds have the names, short names and columns clients know", () => {
    const seen = all("CustomResourceDefinition").map((definition) => {
      const [version] = listAt(definition, "spec", "versions");
      const columns = listAt(version, "additionalPrinterColumns").map((column) => at(column, "name"));
      expect(at(version, "subresources")).toEqual({ status: {} });
      return [
        definition.metadata.name,
        at(version, "name"),
        listAt(definition, "spec", "names", "shortNames").join(),
        columns.join(),
      ];
    });
    expect(seen.sort()).toEqual([
      ["metrics.autoscaling.internal.knative.dev", "v1alpha1", "", "Ready,Reason"],
      [
        "podautoscalers.autoscaling.internal.knative.dev",
        "v1alpha1",
        "kpa,pa",
        "DesiredScale,ActualScale,Ready,Reason",
      ],
      [
        "serverlessservices.networking.internal.knative.dev",
        "v1alpha1",
        "sks",
        "Mode,Activators,ServiceName,PrivateServiceName,Ready,Reason",
      ],
    ]);
  });

  test("definitions of kinds refuse what makes no sense, and members nobody knows", () => {
    const schemas = new CustomSchemas(manifests);
    const spec = {
      protocolType: "http1",
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "x" },
    };
    const problems = (change: object) =>
      schemas
        .problems({
          apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
          kind: "PodAutoscaler",
          ...{ spec: { ...spec, ...change } },
        })
        .join("; ");
    expect(problems({})).toBe("");
    expect(problems({ protocolType: "http3" })).toContain("/spec/protocolType");
    expect(problems({ containerConcurrency: -1 })).toContain("/spec/containerConcurrency must be >= 0");
    expect(problems({ scaleTargetRef: {} })).toContain("must have required property 'name'");
    expect(problems({ containerConcurency: 1 })).toContain("containerConcurency");
  });
});
