import { expect, test } from "vitest";
import { World } from "./world.ts";

const NAME = "hello-00001";
const gauge = (text: string, name: string): number | undefined => {
  const line = text.split("\n").find((one) => one.startsWith(`${name}{`));
  return line === undefined ? undefined : Number(line.split(" ").at(-1));
};

test("S-126, S-127: every revision's decision and pods are told, and no longer once it is gone", async () => {
  await using world = await World.start();
  const revision = await world.addRevision(NAME, { containerConcurrency: 10 });
  await world.load(revision, 70, 90);
  const text = world.autoscaler.metrics();
  const values = Object.fromEntries(
    [
      "pods_desired",
      "capacity_excess",
      "panic_mode",
      "concurrency_stable",
      "concurrency_panic",
      "concurrency_target",
      "pods_requested",
      "pods_count",
      "pods_not_ready_count",
      "pods_pending_count",
      "pods_terminating_count",
    ].map((name) => [name, gauge(text, `kn_revision_${name}`)]),
  );
  expect(values).toEqual({
    pods_desired: 10,
    capacity_excess: -181,
    panic_mode: 0,
    concurrency_stable: 70,
    concurrency_panic: 70,
    concurrency_target: 7,
    pods_requested: 10,
    pods_count: 10,
    pods_not_ready_count: 0,
    pods_pending_count: 0,
    pods_terminating_count: 0,
  });
  expect(text).toContain(`k8s_namespace_name="default"`);
  expect(text).toContain(`kn_configuration_name="${NAME}"`);
  expect(gauge(text, "kn_autoscaler_scrape_duration_seconds_count")).toBeGreaterThan(50);
  await world.removeRevision(NAME);
  await world.idle(2);
  expect(gauge(world.autoscaler.metrics(), "kn_revision_pods_desired")).toBeUndefined();
});

test("S-126: a revision scaled by requests tells those", async () => {
  await using world = await World.start();
  const annotations = { "autoscaling.knative.dev/metric": "rps" };
  const revision = await world.addRevision(NAME, { annotations });
  await world.load(revision, 70, 20);
  const text = world.autoscaler.metrics();
  expect(gauge(text, "kn_revision_rps_target")).toBe(140);
  expect(gauge(text, "kn_revision_concurrency_target")).toBeUndefined();
});

test("S-127: pods requested keep their value while nothing is known", async () => {
  await using world = await World.start();
  const revision = await world.addRevision(NAME, { containerConcurrency: 10 });
  await world.load(revision, 70, 90);
  await world.stopAutoscaler();
  await world.startAutoscaler();
  const text = world.autoscaler.metrics();
  expect(gauge(text, "kn_revision_pods_requested")).toBe(10);
  expect(gauge(text, "kn_revision_pods_desired")).toBeUndefined();
});
