import {
  ConfigurationKind,
  type Deployment,
  DeploymentKind,
  IngressKind,
  type KnativeService,
  KnativeServiceKind,
  type KubeObject,
  PodAutoscalerKind,
  RevisionKind,
  RouteKind,
  ServerlessServiceKind,
  type Service,
  ServiceKind,
} from "@rouse/shared";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FakePlatform, hello, type PodFate } from "./fake-platform.ts";
import { Invariants, replicasOf } from "./invariants.ts";

const RUNS = 40;

/** One thing somebody does to a Service or its surroundings. Numbers choose among what there is. */
type Step =
  | { readonly do: "template"; readonly value: number; readonly name: number | undefined }
  | { readonly do: "traffic"; readonly share: number; readonly revision: number; readonly tag: boolean }
  | { readonly do: "label"; readonly value: number }
  | { readonly do: "fate"; readonly revision: number; readonly fate: PodFate }
  | { readonly do: "scale"; readonly revision: number; readonly replicas: number }
  | { readonly do: "remove"; readonly revision: number }
  | { readonly do: "gateway"; readonly isUp: boolean }
  | { readonly do: "config"; readonly deadlineSeconds: number }
  | { readonly do: "restart" }
  | { readonly do: "wait"; readonly rounds: number };

const fates = fc.constantFrom<PodFate>(
  { kind: "ready" },
  { kind: "starting" },
  { kind: "exits", code: 1, output: "boom" },
  { kind: "waits", reason: "RunContainerError", message: "command not found" },
);
const nat = (max: number) => fc.integer({ min: 0, max });
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant("template"),
      value: nat(99),
      name: fc.option(nat(2), { nil: undefined, freq: 1 }),
    }),
    fc.record({ do: fc.constant("template"), value: nat(99), name: fc.constant(undefined) }),
    fc.record({ do: fc.constant("traffic"), share: nat(100), revision: nat(5), tag: fc.boolean() }),
    fc.record({ do: fc.constant("label"), value: nat(3) }),
    fc.record({ do: fc.constant("fate"), revision: nat(5), fate: fates }),
    fc.record({ do: fc.constant("scale"), revision: nat(5), replicas: nat(3) }),
    fc.record({ do: fc.constant("remove"), revision: nat(5) }),
    fc.record({ do: fc.constant("gateway"), isUp: fc.boolean() }),
    fc.record({ do: fc.constant("config"), deadlineSeconds: fc.integer({ min: 100, max: 105 }) }),
    fc.record({ do: fc.constant("restart") }),
    fc.record({ do: fc.constant("wait"), rounds: nat(4) }),
  ) as fc.Arbitrary<Step>,
  { minLength: 4, maxLength: 24, size: "max" },
);

/** Objects of somebody else: under names that a tag or a revision of `hello` wants, and beside them. CI-10 */
const metadata = { namespace: "default", labels: { theirs: "yes" } };
const foreignServices = ["blue-hello", "other"].map(
  (name): Service => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...metadata, name },
    spec: { ports: [{ port: 1 }] },
  }),
);
const foreignDeployment: Deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { ...metadata, name: "hello-00002-deployment" },
  spec: { replicas: 0, selector: { matchLabels: { a: "b" } }, template: { spec: { containers: [] } } },
};

class User {
  readonly #platform: FakePlatform;
  /** What was last asked for. */
  #spec: KnativeService["spec"] = hello().spec;

  constructor(platform: FakePlatform) {
    this.#platform = platform;
  }

  async take(step: Step): Promise<void> {
    const platform = this.#platform;
    switch (step.do) {
      case "template":
        return await this.#write({ template: template(step.value, step.name) });
      case "traffic":
        return await this.#write({ traffic: await this.#traffic(step) });
      case "label": {
        const service = await platform.get(KnativeServiceKind, "hello");
        const metadata = { ...service.metadata, labels: { team: String(step.value) } };
        await platform.client.update(KnativeServiceKind, { ...service, metadata });
        return;
      }
      case "fate":
        return void platform.fates.set(await this.#revision(step.revision), step.fate);
      case "scale": {
        const name = `${await this.#revision(step.revision)}-deployment`;
        if (name === foreignDeployment.metadata.name) return;
        if ((await platform.names(DeploymentKind)).includes(name)) await platform.scale(name, step.replicas);
        return;
      }
      case "remove": {
        const name = await this.#revision(step.revision);
        if (await this.#isUsed(name)) return; // a Service without the revision it names cannot come to rest
        await platform.client.delete(RevisionKind, { namespace: "default", name });
        return;
      }
      case "gateway":
        platform.isGatewayUp = step.isUp;
        return;
      case "config": // changes every Deployment
        return await platform.config("config-deployment", {
          "progress-deadline": `${step.deadlineSeconds}s`,
        });
      case "restart":
        await platform.stopController();
        return await platform.startController();
      case "wait":
        return await platform.rest(step.rounds);
    }
  }

  /** The Service says what was asked, whoever has worked on it. CI-10 */
  async check(): Promise<void> {
    const { spec } = await this.#platform.get(KnativeServiceKind, "hello");
    expect(spec).toEqual(this.#spec);
  }

  /** With a tag whose name is taken it would never come to rest. */
  async untag(): Promise<void> {
    await this.#write({ traffic: [{ latestRevision: true, percent: 100 }] });
  }

  async #write(spec: Partial<KnativeService["spec"]>): Promise<void> {
    const service = await this.#platform.get(KnativeServiceKind, "hello");
    this.#spec = { ...service.spec, ...spec };
    await this.#platform.client.update(KnativeServiceKind, { ...service, spec: this.#spec });
  }

  async #traffic({ share, revision, tag }: Extract<Step, { do: "traffic" }>) {
    const revisionName = await this.#revision(revision);
    const named = { revisionName, percent: share, ...(tag ? { tag: "blue" } : {}) };
    return share === 0 && !tag
      ? [{ latestRevision: true, percent: 100 }]
      : [named, { latestRevision: true, percent: 100 - share }];
  }

  async #revision(index: number): Promise<string> {
    const names = await this.#platform.names(RevisionKind);
    return names[index % Math.max(1, names.length)] ?? "hello-00001";
  }

  async #isUsed(name: string): Promise<boolean> {
    const { spec, status } = await this.#platform.get(KnativeServiceKind, "hello");
    const { latestCreatedRevisionName, latestReadyRevisionName, traffic = [] } = status ?? {};
    const named = [...(spec.traffic ?? []), ...traffic].map(({ revisionName }) => revisionName);
    const own = [latestCreatedRevisionName, latestReadyRevisionName, spec.template.metadata?.name];
    return latestCreatedRevisionName === undefined || [...named, ...own].includes(name);
  }
}

function template(value: number, name: number | undefined): KnativeService["spec"]["template"] {
  const env = [{ name: "GREETING", value: String(value) }];
  return {
    // A name stands for one content: another one under it is refused before it comes here (§14.4).
    ...(name === undefined ? {} : { metadata: { name: `hello-n${name}-${value}` } }),
    spec: { containers: [{ name: "", command: ["node"], env }] },
  };
}

/** Theirs, but for what the world says of a Deployment. */
async function theirs(platform: FakePlatform): Promise<readonly unknown[]> {
  const { spec, metadata: meta } = await platform.get(DeploymentKind, foreignDeployment.metadata.name);
  const services = foreignServices.map(({ metadata: { name } }) => platform.get(ServiceKind, name));
  return [spec, meta.labels, meta.annotations, meta.ownerReferences, ...(await Promise.all(services))];
}

test("CI-1…CI-5, CI-7, CI-8, CI-10, CI-14, CI-15: whatever is done to a Service, in whatever order", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (todo) => {
      await using platform = await FakePlatform.start();
      for (const service of foreignServices) await platform.client.create(ServiceKind, service);
      await platform.client.create(DeploymentKind, foreignDeployment);
      const before = await theirs(platform);
      await platform.client.create(KnativeServiceKind, hello());
      await platform.rest(8);
      const user = new User(platform);
      const invariants = new Invariants(platform);
      for (const step of todo) {
        await user.take(step);
        const scaled = await replicasOf(platform);
        await platform.rest(2);
        await invariants.check();
        await user.check();
        for (const [name, replicas] of await replicasOf(platform)) {
          expect([name, replicas]).toEqual([name, scaled.get(name) ?? 1]); // CI-14
        }
      }
      expect(await theirs(platform)).toEqual(before); // CI-10
      const ref = { namespace: "default", name: foreignDeployment.metadata.name };
      await platform.client.delete(DeploymentKind, ref);
      await user.untag();
      platform.isGatewayUp = true;
      platform.fates.clear();
      await platform.clock.advanceAsync(60_000); // what has failed before is tried again
      await platform.settle();
      await invariants.check();
      await invariants.checkAtRest();
      const { resourceVersion } = platform.store;
      await platform.stopController();
      await platform.startController();
      await platform.settle();
      expect(platform.store.resourceVersion).toBe(resourceVersion); // CI-1
      await platform.client.delete(KnativeServiceKind, { namespace: "default", name: "hello" });
      await platform.settle();
      for (const kind of OWNED)
        expect([kind.kind, await platform.names<KubeObject>(kind)]).toEqual([kind.kind, []]); // CI-15
      expect(await platform.names(ServiceKind)).toEqual(["blue-hello", "other"]);
    }),
    { numRuns: RUNS, seed: 7 },
  );
}, 120_000);

const OWNED = [
  ConfigurationKind,
  RevisionKind,
  RouteKind,
  IngressKind,
  DeploymentKind,
  PodAutoscalerKind,
  ServerlessServiceKind,
];
