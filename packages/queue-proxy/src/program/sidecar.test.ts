import { expect, test } from "vitest";
import { parseConfig } from "../config.ts";
import { resourceOf } from "../metrics/resource.ts";
import { drainLimitMs } from "./sidecar.ts";

test.each([
  [300_000, 290_000],
  [600_000, 590_000],
  [30_000, 27_000],
  [2_000, 1_000],
  [0, Number.POSITIVE_INFINITY],
])("Q-63, Q-115: of a grace period of %i ms a drain may take %i (E-10)", (graceMs, want) => {
  expect(drainLimitMs(graceMs)).toBe(want);
});

test("Q-135, Q-154: who is speaking", () => {
  const config = parseConfig({
    CONTAINER_CONCURRENCY: "0",
    QUEUE_SERVING_PORT: "8012",
    QUEUE_SERVING_TLS_PORT: "8112",
    USER_PORT: "8080",
    REVISION_TIMEOUT_SECONDS: "300",
    SERVING_LOGGING_CONFIG: "",
    SERVING_LOGGING_LEVEL: "",
    SERVING_NAMESPACE: "ns",
    SERVING_CONFIGURATION: "conf",
    SERVING_REVISION: "rev",
    SERVING_POD: "pod",
    SERVING_POD_IP: "10.0.0.1",
    POD_NAME: "told",
  });
  expect(Object.fromEntries(resourceOf(config, ""))).toEqual({
    "service.name": "conf",
    "service.instance.id": "told",
    "service.version": "unknown",
    "k8s.namespace.name": "ns",
    "k8s.pod.name": "told",
    "container.name": "queue-proxy",
    "kn.configuration.name": "conf",
    "kn.revision.name": "rev",
  });
  expect(Object.fromEntries(resourceOf(config, "own"))).toMatchObject({ "service.name": "own" });
});
