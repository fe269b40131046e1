import { type KnativeService, SeededRandom } from "@rouse/shared";
import type { ClientFaults } from "./faults.ts";

/** What one service of the world is like. */
export interface SimService {
  readonly name: string;
  readonly containerConcurrency: number;
  readonly timeoutSeconds: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Everything one seed decides about a run. */
export interface Scenario {
  readonly seed: number;
  readonly services: readonly SimService[];
  readonly activators: number;
  readonly startMs: readonly [min: number, max: number];
  readonly fates: { readonly failsToStart: number; readonly crashes: number; readonly hangs: number };
  readonly faults: ClientFaults;
  /** How late the gateway hears of endpoints: the network's programming. */
  readonly networkLagMs: number;
  readonly stalls: number;
  readonly scrapeFailures: number;
  readonly trafficMs: number;
}

const AUTOSCALING = "autoscaling.knative.dev";

/** What seed `seed` plays. The first draws are not those of the run itself, so that both may grow apart. */
export function scenarioOf(seed: number): Scenario {
  const random = new SeededRandom(seed ^ 0x5eed);
  const pick = <T>(choices: readonly [T, ...T[]]): T =>
    choices[random.integer(0, choices.length - 1)] ?? choices[0];
  const service = (name: string): SimService => {
    const minScale = random.chance(0.1) ? "1" : "0";
    const maxScale = random.chance(0.2) ? String(random.integer(1, 3)) : "0";
    return {
      name,
      containerConcurrency: pick([0, 1, 1, 2, 5, 10]),
      timeoutSeconds: 20,
      annotations: {
        [`${AUTOSCALING}/initial-scale`]: pick(["0", "0", "1"]),
        [`${AUTOSCALING}/window`]: pick(["6s", "6s", "10s"]),
        [`${AUTOSCALING}/target-burst-capacity`]: pick(["-1", "0", "0", "5", "20", "211"]),
        [`${AUTOSCALING}/min-scale`]: minScale,
        [`${AUTOSCALING}/max-scale`]: maxScale,
      },
    };
  };
  const isCalm = random.chance(0.2);
  return {
    seed,
    services: random.chance(0.3) ? [service("alpha"), service("beta")] : [service("alpha")],
    activators: pick([1, 1, 2, 3]),
    startMs: pick([
      [5, 60],
      [50, 800],
      [500, 4_000],
    ]),
    fates: isCalm
      ? { failsToStart: 0, crashes: 0, hangs: 0 }
      : { failsToStart: pick([0, 0.05, 0.2]), crashes: pick([0, 0.1, 0.3]), hangs: pick([0, 0, 0.1]) },
    faults: isCalm
      ? { writeFailures: 0, conflicts: 0, lagMs: 0, watchEnds: 0 }
      : {
          writeFailures: pick([0, 0.02, 0.1]),
          conflicts: pick([0, 0.05, 0.2]),
          lagMs: pick([0, 20, 200]),
          watchEnds: pick([0, 0.005]),
        },
    networkLagMs: pick([0, 50, 1_000, 3_000]),
    stalls: isCalm ? 0 : pick([0, 0.5]),
    scrapeFailures: isCalm ? 0 : pick([0, 0.1, 0.3]),
    trafficMs: random.integer(15_000, 40_000),
  };
}

/** A good day of one service. */
export function calmScenario(service: SimService): Scenario {
  return {
    seed: 1,
    services: [service],
    activators: 1,
    startMs: [50, 50],
    fates: { failsToStart: 0, crashes: 0, hangs: 0 },
    faults: { writeFailures: 0, conflicts: 0, lagMs: 0, watchEnds: 0 },
    networkLagMs: 0,
    stalls: 0,
    scrapeFailures: 0,
    trafficMs: 0,
  };
}

export function manifestOf({
  name,
  annotations,
  containerConcurrency,
  timeoutSeconds,
}: SimService): KnativeService {
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { namespace: "default", name },
    spec: {
      template: {
        metadata: { annotations },
        spec: {
          containerConcurrency,
          timeoutSeconds,
          containers: [{ name: "user-container", command: ["sim"] }],
        },
      },
    },
  };
}
