import { describe, expect, test } from "vitest";
import { revisionOf, settings, stored } from "../../test/stored.ts";
import { deploymentName, makeDeployment, updatedDeployment } from "./deployment.ts";

const HASH = "serving.knative.dev/deployment-hash";
const zeroAllowed = {
  ...settings,
  autoscaler: { ...settings.autoscaler, allowsZeroInitialScale: true, initialScale: 2 },
};
const annotated = (annotations: Record<string, string>) =>
  revisionOf("hello-00001", { meta: { uid: "r-1", annotations } });

test("CV-8, C-48: the Deployment of a revision", () => {
  const { metadata, spec } = makeDeployment(annotated({}), settings);
  expect(metadata.name).toBe("hello-00001-deployment");
  expect(metadata.labels?.[HASH]).toMatch(/^[0-9a-z]+$/);
  expect(spec).toMatchObject({
    replicas: 1,
    selector: { matchLabels: { "serving.knative.dev/revisionUID": "r-1" } },
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 0,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0 } },
  });
  expect(spec.template.metadata?.labels).not.toHaveProperty(HASH);
});

test.each([
  { name: "r".repeat(60), want: "rrrrrrrrrrrrrrrrrrrrfc58ac6720764672e18f97efd7ef704e-deployment" },
  { name: "r".repeat(52), want: `${"r".repeat(52)}-deployment` },
])("CV-7: the Deployment of $name is $want", ({ name, want }) => {
  expect(deploymentName(name)).toBe(want);
});

describe("S-26: the scale it starts with", () => {
  const key = "autoscaling.knative.dev/initial-scale";
  test.each([
    { annotations: {}, of: settings, want: 1 },
    { annotations: {}, of: zeroAllowed, want: 2 },
    { annotations: { [key]: "3" }, of: settings, want: 3 },
    { annotations: { "autoscaling.knative.dev/initialScale": "4" }, of: settings, want: 4 },
    { annotations: { [key]: "0" }, of: zeroAllowed, want: 0 },
    { annotations: { [key]: "0" }, of: settings, want: 1 },
    { annotations: { [key]: "many" }, of: settings, want: 1 },
  ])("$annotations: $want", ({ annotations, of, want }) => {
    expect(makeDeployment(annotated(annotations), of).spec.replicas).toBe(want);
  });
});

test.each([
  { text: "30s", want: 30 },
  { text: "2m", want: 120 },
  { text: "1500ms", want: 600 },
  { text: "soon", want: 600 },
])("S-15: progress-deadline $text is $want seconds", ({ text, want }) => {
  const deployment = makeDeployment(annotated({ "serving.knative.dev/progress-deadline": text }), settings);
  expect(deployment.spec.progressDeadlineSeconds).toBe(want);
});

describe("C-50: an existing Deployment", () => {
  const made = makeDeployment(annotated({ note: "n" }), settings);

  test("stays while nothing it is made from changes, whatever was edited by hand", () => {
    const edited = stored({ ...made, spec: { ...made.spec, replicas: 9, progressDeadlineSeconds: 1 } });
    expect(updatedDeployment(edited, made)).toBeUndefined();
  });

  test("does not change with routing, scaling or the initial scale", () => {
    const other = makeDeployment(
      annotated({
        note: "n",
        "serving.knative.dev/routes": "hello",
        "autoscaling.knative.dev/initial-scale": "5",
        "autoscaling.knative.dev/min-scale": "5",
      }),
      settings,
    );
    expect(updatedDeployment(stored(made), other)).toBeUndefined();
  });

  test("takes the new spec, but keeps its scale, its selector and what others put on it", () => {
    const live = stored({
      ...made,
      metadata: {
        ...made.metadata,
        labels: { ...made.metadata.labels, theirs: "kept", "old.knative.dev/label": "stale" },
      },
      spec: {
        ...made.spec,
        replicas: 7,
        selector: { matchLabels: { legacy: "yes" } },
        template: {
          ...made.spec.template,
          metadata: {
            ...made.spec.template.metadata,
            annotations: { "kubectl.kubernetes.io/restartedAt": "now" },
          },
        },
      },
    });
    const updated = updatedDeployment(live, makeDeployment(annotated({ note: "m" }), settings));
    expect(updated?.spec.replicas).toBe(7);
    expect(updated?.spec.selector).toEqual({ matchLabels: { legacy: "yes" } });
    expect(updated?.metadata.labels).toMatchObject({ theirs: "kept" });
    expect(updated?.metadata.labels).not.toHaveProperty(["old.knative.dev/label"]);
    expect(updated?.metadata.annotations).toMatchObject({ note: "m" });
    expect(updated?.spec.template.metadata?.annotations).toMatchObject({
      "kubectl.kubernetes.io/restartedAt": "now",
      note: "m",
    });
  });
});
