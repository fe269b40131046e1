import { Autoscaler, HpaEvaluator } from "@rouse/autoscaler";
import {
  apiVersion,
  autoscaling,
  type Deployment,
  DeploymentKind,
  HorizontalPodAutoscalerKind,
  labels,
  objectKey,
  type PodAutoscaler,
  PodAutoscalerKind,
  PodKind,
  parseQuantity,
  SeededRandom,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { UsageRates } from "../src/home/usage-rates.ts";
import { deploymentOf, Home, isReady } from "../src/kubelet/testing/home.ts";

const REVISION = "echo-00001";
const ref = { namespace: "default", name: REVISION };
const MEBI = 1_048_576;
/** More than a Node that does nothing takes, and less than twice as much. */
const TARGET_MEBI = 120;
/** With what Node itself takes, more than twice the target and less than three times. */
const HELD_MEBI = 200;
const ROUND_MS = 15_000;
/** The window holds a change back for three rounds. */
const ROUNDS_MAX = 20;

/** Takes memory on one signal and gives it back on another, and says when it has. */
const HOLDER = `
  let held;
  process.on("SIGUSR2", () => {
    held = held === undefined ? Buffer.alloc(${HELD_MEBI} * ${MEBI}, 1) : undefined;
    gc();
    console.log(held === undefined ? "free" : "holds");
  });
  require("node:net").createServer((socket) => socket.end())
    .listen(Number(process.env.PORT), "127.0.0.1", () => console.log("pid " + process.pid));
`;

function holders(): Deployment {
  const deployment = deploymentOf(1, HOLDER);
  const { template } = deployment.spec;
  const containers = template.spec.containers.map((container) =>
    container.command === undefined
      ? container
      : { ...container, command: [process.execPath, "--expose-gc", "-e", HOLDER] },
  );
  return {
    ...deployment,
    metadata: { ...deployment.metadata, labels: { [labels.revision]: REVISION } },
    spec: { ...deployment.spec, template: { ...template, spec: { ...template.spec, containers } } },
  };
}

const autoscaler: PodAutoscaler = {
  apiVersion: apiVersion(PodAutoscalerKind),
  kind: "PodAutoscaler",
  metadata: {
    ...ref,
    labels: { [labels.revision]: REVISION, [labels.configuration]: "echo" },
    annotations: {
      [autoscaling.class]: autoscaling.hpaClass,
      [autoscaling.metric]: "memory",
      [autoscaling.target]: String(TARGET_MEBI),
      [autoscaling.maxScale]: "6",
      [autoscaling.window]: "30s",
    },
  },
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: `${REVISION}-deployment` },
    protocolType: "http1",
    reachability: "Reachable",
  },
};

test("S-122: what a pod's processes hold scales a revision of the HPA class by memory, up and down, by the HPA's formula", async () => {
  const clock = new VirtualClock();
  const said = new Lines();
  const deps = { clock, random: new SeededRandom(1), log: silentLogger };
  await using home = await Home.start({ hooks: { onOutput: (_pod, _stream, line) => said.add(line) } });
  const { client } = home;
  await using _autoscaler = await Autoscaler.start({
    ...deps,
    client,
    scraper: { scrape: () => Promise.resolve(undefined) },
    activatorProbe: { isInPath: () => Promise.resolve(true) },
  });
  await using _evaluator = await HpaEvaluator.start({
    ...deps,
    client,
    usage: new UsageRates(clock, (pod) => home.kubelet.usage(pod)),
  });
  /** Has the HPA look again, until it asks for another scale. @returns that, and what it measured then */
  const nextScale = async (before: number): Promise<{ readonly pods: number; readonly mebi: number }> => {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      await clock.advanceAsync(ROUND_MS);
      const { status } = await client.get(HorizontalPodAutoscalerKind, ref);
      const pods = status?.desiredReplicas ?? before;
      const current = status?.currentMetrics?.[0]?.resource.current;
      if (pods !== before) return { pods, mebi: (parseQuantity(current?.averageValue ?? "") ?? 0) / MEBI };
    }
    throw new Error(`still ${before} pods`);
  };

  await client.create(DeploymentKind, holders());
  await client.create(PodAutoscalerKind, autoscaler);
  const pid = Number((await said.next(/^pid /)).split(" ")[1]);
  const first = objectKey((await home.seen(PodKind, isReady)).metadata);
  /** What was read of the processes a moment ago counts as new, so this waits for another reading. */
  const counted = async (is: (mebi: number) => boolean): Promise<void> => {
    while (!is((home.kubelet.usage(first)?.memoryBytes ?? 0) / MEBI))
      await new Promise((turn) => setImmediate(turn));
  };

  process.kill(pid, "SIGUSR2");
  await said.next(/^holds/);
  await counted((mebi) => mebi > HELD_MEBI);
  const up = await nextScale(1);
  expect(up.mebi).toBeGreaterThan(HELD_MEBI);
  expect(up.pods).toBe(Math.ceil(up.mebi / TARGET_MEBI));
  await home.seen(DeploymentKind, ({ status }) => status?.readyReplicas === up.pods);

  process.kill(pid, "SIGUSR2");
  await said.next(/^free/);
  await counted((mebi) => mebi < TARGET_MEBI);
  const down = await nextScale(up.pods);
  expect(down.mebi).toBeLessThan(TARGET_MEBI);
  expect(down.pods).toBe(Math.ceil((down.mebi * up.pods) / TARGET_MEBI));
  await home.seen(DeploymentKind, ({ status }) => status?.replicas === down.pods);
});

/** What the programs wrote. */
class Lines {
  readonly #lines: string[] = [];
  readonly #waiting: { readonly pattern: RegExp; readonly found: (line: string) => void }[] = [];

  add(line: string): void {
    this.#lines.push(line);
    for (const { pattern, found } of this.#waiting) if (pattern.test(line)) found(line);
  }

  /** The first line that matches, now or later. */
  next(pattern: RegExp): Promise<string> {
    const already = this.#lines.find((line) => pattern.test(line));
    if (already !== undefined) return Promise.resolve(already);
    return new Promise((found) => this.#waiting.push({ pattern, found }));
  }
}
