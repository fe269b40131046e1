import {
  DeploymentKind,
  type KnativeService,
  KnativeServiceKind,
  labels,
  RevisionKind,
  SeededRandom,
} from "@rouse/shared";
import { expect, test } from "vitest";
import { FakePlatform, hello, type PodFate } from "./fake-platform.ts";
import { Invariants } from "./invariants.ts";

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);
const STEPS = 12;

const greeting = (value: number): KnativeService["spec"]["template"] => ({
  spec: { containers: [{ name: "", command: ["node"], env: [{ name: "GREETING", value: String(value) }] }] },
});

const FATES: readonly PodFate[] = [
  { kind: "ready" },
  { kind: "starting" },
  { kind: "exits", code: 1, output: "boom" },
  { kind: "waits", reason: "RunContainerError", message: "command not found" },
];

test.each(SEEDS)(
  "CI-2…CI-5, CI-7, CI-8, CI-14: with failing writes and restarts it still gets where it should: seed %i",
  async (seed) => {
    const random = new SeededRandom(seed);
    await using platform = await FakePlatform.start({ faults: random });
    await platform.client.create(KnativeServiceKind, hello({ template: greeting(0) }));
    const invariants = new Invariants(platform);
    let value = 0;
    for (let step = 0; step < STEPS; step++) {
      const { items: revisions } = await platform.client.list(RevisionKind);
      const some = revisions[random.integer(0, Math.max(0, revisions.length - 1))]?.metadata.name;
      const service = await platform.get(KnativeServiceKind, "hello");
      if (random.chance(0.4)) {
        const spec = { ...service.spec, template: greeting(++value) };
        await platform.client.update(KnativeServiceKind, { ...service, spec });
      } else if (random.chance(0.3) && some !== undefined) {
        const latest = { latestRevision: true, percent: 100 };
        const split = [
          { revisionName: some, percent: 30, tag: "some" },
          { ...latest, percent: 70 },
        ];
        const traffic = random.chance(0.5) ? [latest] : split;
        await platform.client.update(KnativeServiceKind, { ...service, spec: { ...service.spec, traffic } });
      }
      const fate = FATES[random.integer(0, FATES.length - 1)];
      if (some !== undefined && fate !== undefined && random.chance(0.5)) platform.fates.set(some, fate);
      if (random.chance(0.15)) {
        await platform.stopController();
        await platform.startController();
      }
      await platform.rest(random.integer(1, 6));
      await invariants.check();
    }
    platform.endFaults();
    platform.fates.clear();
    await platform.settle();
    await invariants.check();
    await invariants.checkAtRest();
    expect(await platform.ready("hello")).toBe("True");
    const { status, metadata } = await platform.get(KnativeServiceKind, "hello");
    expect(status?.observedGeneration).toBe(metadata.generation);
    expect(status?.latestReadyRevisionName).toBe(status?.latestCreatedRevisionName);
    // CI-8: what is routed to is active, the rest is in reserve.
    const routed = new Set(status?.traffic?.map(({ revisionName }) => revisionName));
    for (const revision of (await platform.client.list(RevisionKind)).items) {
      const state = revision.metadata.labels?.[labels.routingState];
      expect([revision.metadata.name, state]).toEqual([
        revision.metadata.name,
        routed.has(revision.metadata.name) ? "active" : "reserve",
      ]);
    }
    for (const { spec } of (await platform.client.list(DeploymentKind)).items) expect(spec.replicas).toBe(1); // CI-14
    const { resourceVersion } = platform.store;
    await platform.settle();
    expect(platform.store.resourceVersion).toBe(resourceVersion);
  },
);
