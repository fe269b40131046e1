import type { Container, Probe, RevisionSpec } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { settings } from "../../test/stored.ts";
import { defaultRevisionSpec } from "./revision-defaults.ts";

const spec = (rest: Partial<RevisionSpec>, ...containers: Container[]): RevisionSpec => ({
  containers: containers.length === 0 ? [{ name: "", image: "x" }] : containers,
  ...rest,
});
const withDefaults = (given: Partial<typeof settings.defaults>) => ({
  ...settings,
  defaults: { ...settings.defaults, ...given },
});

test("CV-1: a minimal spec gets a name, a timeout, unlimited concurrency and a probe of its port", () => {
  expect(defaultRevisionSpec(spec({}), settings)).toEqual({
    containerConcurrency: 0,
    timeoutSeconds: 300,
    containers: [
      { name: "user-container", image: "x", readinessProbe: { successThreshold: 1, tcpSocket: { port: 0 } } },
    ],
  });
});

describe("CV-2, Q-54: timeouts", () => {
  const shorter = { timeoutSeconds: 200, responseStartTimeoutSeconds: 200 };
  test.each([
    { given: { timeoutSeconds: 0 }, defaults: {}, want: { timeoutSeconds: 300 } },
    {
      given: { timeoutSeconds: 600 },
      defaults: {},
      want: { timeoutSeconds: 600, responseStartTimeoutSeconds: 300 },
    },
    { given: { timeoutSeconds: 120 }, defaults: {}, want: { timeoutSeconds: 120 } },
    {
      given: { timeoutSeconds: 600, responseStartTimeoutSeconds: 0 },
      defaults: {},
      want: { timeoutSeconds: 600, responseStartTimeoutSeconds: 0 },
    },
    {
      given: { timeoutSeconds: 600 },
      defaults: shorter,
      want: { timeoutSeconds: 600, responseStartTimeoutSeconds: 200 },
    },
    {
      given: { timeoutSeconds: 300 },
      defaults: { idleTimeoutSeconds: 60 },
      want: { timeoutSeconds: 300, idleTimeoutSeconds: 60 },
    },
    { given: { timeoutSeconds: 60 }, defaults: { idleTimeoutSeconds: 60 }, want: { timeoutSeconds: 60 } },
  ])("$given with $defaults: $want", ({ given, defaults, want }) => {
    const {
      containers: _,
      containerConcurrency: __,
      ...timeouts
    } = defaultRevisionSpec(spec(given), withDefaults(defaults));
    expect(timeouts).toEqual(want);
  });
});

describe("CV-3: names of containers", () => {
  test.each([
    { given: ["", ""], want: ["user-container-0", "user-container-1"] },
    {
      given: ["user-container-1", "", "user-container-3", "", "user-container-5", "", "", "user-container-4"],
      want: ["1", "0", "3", "2", "5", "6", "7", "4"].map((number) => `user-container-${number}`),
    },
    { given: ["mine"], want: ["mine"] },
  ])("$given", ({ given, want }) => {
    const containers = given.map((name) => ({ name, image: "x" }));
    expect(defaultRevisionSpec(spec({}, ...containers), settings).containers.map(({ name }) => name)).toEqual(
      want,
    );
  });
});

describe("CV-4: probes", () => {
  const probed = (readinessProbe: Probe): Probe | undefined =>
    defaultRevisionSpec(spec({}, { name: "a", readinessProbe }), settings).containers[0]?.readinessProbe;
  test.each([
    { given: { httpGet: { path: "/h" } }, want: { httpGet: { path: "/h" }, successThreshold: 1 } },
    {
      given: { periodSeconds: 10 },
      want: {
        periodSeconds: 10,
        tcpSocket: { port: 0 },
        successThreshold: 1,
        failureThreshold: 3,
        timeoutSeconds: 1,
      },
    },
    { given: { grpc: {} }, want: { grpc: { service: "" }, successThreshold: 1 } },
  ])("$given", ({ given, want }) => {
    expect(probed(given)).toEqual(want);
  });

  test("a sidecar without a probe gets none", () => {
    const containers = [{ name: "side" }, { name: "main", ports: [{ containerPort: 80 }] }];
    const defaulted = defaultRevisionSpec(spec({}, ...containers), settings);
    expect(defaulted.containers.map(({ readinessProbe }) => readinessProbe !== undefined)).toEqual([
      false,
      true,
    ]);
  });
});

test("C-150: defaults applied twice are the same as once", () => {
  const once = defaultRevisionSpec(
    spec({ timeoutSeconds: 600 }, { name: "" }, { name: "", ports: [{ containerPort: 1 }] }),
    settings,
  );
  expect(defaultRevisionSpec(once, settings)).toEqual(once);
});
