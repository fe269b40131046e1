import {
  type Condition,
  ConfigMapKind,
  type ContainerStatus,
  controllerOf,
  DeploymentKind,
  type Endpoints,
  EndpointsKind,
  findCondition,
  GarbageCollector,
  IngressKind,
  InProcessKubeClient,
  isKubeError,
  type Kind,
  type KnativeService,
  KnativeServiceKind,
  type KubeClient,
  type KubeObject,
  type LoadBalancer,
  ObjectStore,
  PodAutoscalerKind,
  PodKind,
  type Random,
  RevisionKind,
  rfc3339,
  SeededRandom,
  ServerlessServiceKind,
  type Service,
  ServiceKind,
  type Stored,
  selectorText,
  silentLogger,
  writeStatus,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { Controller, type ControllerOptions } from "../src/index.ts";
import { RefusingClient } from "./refusing-client.ts";

const NAMESPACE = "default";
/** Rounds after which a world that still changes is taken to oscillate. */
const ROUNDS_MAX = 200;

export const HELLO_SPEC: KnativeService["spec"] = {
  template: { spec: { containers: [{ name: "", command: ["node", "server.mjs"] }] } },
};

/** The Service of most tests. */
export function hello(spec: Partial<KnativeService["spec"]> = {}): KnativeService {
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "hello", namespace: NAMESPACE },
    spec: { ...HELLO_SPEC, ...spec },
  };
}

export type WithConditions = KubeObject & {
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
};

/** What happens to a pod once it is there. */
export type PodFate =
  | { readonly kind: "ready" }
  | { readonly kind: "starting" }
  | { readonly kind: "exits"; readonly code: number; readonly output: string }
  | { readonly kind: "waits"; readonly reason: string; readonly message: string };

/**
 * The controller under test on a real object store in virtual time, with simple stand-ins for everybody else:
 * deployments get pods, selectors get endpoints, PodAutoscalers get a ServerlessService, Ingresses become ready.
 */
export class FakePlatform implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly store: ObjectStore;
  readonly client: KubeClient;
  readonly #collector: GarbageCollector;
  #controller: Controller | undefined;
  /** Whether writes of the controller fail now and then. */
  #hasFaults = false;
  #faultChance: () => boolean = () => false;
  /** Revisions that were ready at some time. */
  readonly everReady = new Set<string>();
  /** By revision name; others become ready. */
  readonly fates = new Map<string, PodFate>();
  sksMode: "Serve" | "Proxy" = "Proxy";
  /** Whether the gateway takes up what Ingresses say. */
  isGatewayUp = true;
  /** Where the gateway says it is reached. */
  loadBalancer: LoadBalancer = {};

  private constructor() {
    this.store = new ObjectStore({ wall: () => this.clock.wall(), random: new SeededRandom(1) });
    this.client = new InProcessKubeClient({ store: this.store, clock: this.clock });
    this.#collector = new GarbageCollector({ store: this.store, clock: this.clock });
  }

  static async start(
    options: {
      readonly controller?: ControllerOptions;
      readonly activators?: readonly string[];
      /** One in ten writes of the controller fails, by this chance. */
      readonly faults?: Random;
    } = {},
  ): Promise<FakePlatform> {
    const platform = new FakePlatform();
    const { faults } = options;
    if (faults !== undefined) {
      platform.#hasFaults = true;
      platform.#faultChance = () => platform.#hasFaults && faults.chance(0.1);
    }
    await platform.config("config-domain", { "example.com": "" });
    const { activators = ["10.9.0.1"] } = options;
    await platform.setActivators(activators);
    await platform.startController(options.controller);
    return platform;
  }

  /** `slow`: the kind whose first list takes a second. */
  async startController(options: ControllerOptions = {}, slow?: Kind<KubeObject>): Promise<void> {
    const { clock } = this;
    const client = new RefusingClient(this.client, () => this.#faultChance());
    if (slow !== undefined) {
      client.held.set(slow.kind, new Promise((resolve) => void clock.after(1_000, resolve)));
    }
    const starting = Controller.start(
      { client, clock, random: new SeededRandom(2), log: silentLogger },
      options,
    );
    await clock.advanceAsync(slow === undefined ? 0 : 1_000);
    this.#controller = await starting;
  }

  /** From now on every write succeeds. */
  endFaults(): void {
    this.#hasFaults = false;
  }

  async stopController(): Promise<void> {
    await this.#controller?.close();
    this.#controller = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopController();
    this.#collector[Symbol.dispose]();
  }

  async config(name: string, data: Readonly<Record<string, string>>): Promise<void> {
    const metadata = { name, namespace: "knative-serving" };
    await this.#apply(ConfigMapKind, { apiVersion: "v1", kind: "ConfigMap", metadata, data });
  }

  async setActivators(ips: readonly string[]): Promise<void> {
    await this.#apply(EndpointsKind, {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name: "activator-service", namespace: "knative-serving" },
      subsets: [
        {
          addresses: ips.map((ip) => ({ ip })),
          ports: [
            { name: "http", port: 8012 },
            { name: "http2", port: 8013 },
          ],
        },
      ],
    });
  }

  /** Lets everybody react until nothing changes any more. */
  async settle(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const before = this.store.resourceVersion;
      await this.clock.advanceAsync(20);
      await this.#react();
      if (this.store.resourceVersion === before) return;
    }
    throw new Error("the platform does not come to rest");
  }

  /** Lets everybody react for a while, where passes that keep failing never come to rest. */
  async rest(rounds = 10): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await this.clock.advanceAsync(20);
      await this.#react();
    }
  }

  /** Lets the controller alone react for a while. */
  async look(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) await this.clock.advanceAsync(20);
  }

  /** `status reason` of a Service's Ready. */
  async ready(name: string): Promise<string> {
    return await this.reason(KnativeServiceKind, name, "Ready");
  }

  /** `status reason` of a condition. */
  async reason(kind: Kind<WithConditions>, name: string, type: string): Promise<string> {
    const { status: found } = await this.get(kind, name);
    const { status, reason = "" } = findCondition(found?.conditions, type) ?? { status: "absent" };
    return `${status} ${reason}`.trim();
  }

  async version<T extends KubeObject>(kind: Kind<T>, name: string): Promise<string> {
    return (await this.get(kind, name)).metadata.resourceVersion;
  }

  /** Ready addresses a revision's public Service leads to. */
  async publicIps(revision: string): Promise<readonly string[]> {
    const { subsets = [] } = await this.get(EndpointsKind, revision);
    return subsets.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip));
  }

  async deploymentSpec(revision: string): Promise<unknown> {
    return (await this.get(DeploymentKind, `${revision}-deployment`)).spec;
  }

  async scalingAnnotation(revision: string, name: string): Promise<string | undefined> {
    const { metadata } = await this.get(PodAutoscalerKind, revision);
    return metadata.annotations?.[`autoscaling.knative.dev/${name}`];
  }

  /** Objects of the default namespace by name. */
  async names<T extends KubeObject>(kind: Kind<T>): Promise<readonly string[]> {
    const { items } = await this.client.list(kind, { namespace: NAMESPACE });
    return items.map(({ metadata }) => metadata.name).sort();
  }

  async get<T extends KubeObject>(kind: Kind<T>, name: string): Promise<Stored<T>> {
    return await this.client.get(kind, { namespace: NAMESPACE, name });
  }

  async scale(deployment: string, replicas: number): Promise<void> {
    const present = await this.get(DeploymentKind, deployment);
    await this.client.update(DeploymentKind, { ...present, spec: { ...present.spec, replicas } });
  }

  async #apply<T extends KubeObject>(kind: Kind<T>, object: T): Promise<void> {
    try {
      await this.client.create(kind, object);
    } catch (error) {
      if (!isKubeError(error, "AlreadyExists")) throw error;
      await this.client.update(kind, object);
    }
  }

  async #react(): Promise<void> {
    for (const revision of (await this.client.list(RevisionKind)).items) {
      const isReady = findCondition(revision.status?.conditions, "Ready")?.status === "True";
      if (isReady) this.everReady.add(revision.metadata.name);
    }
    await this.#runDeployments();
    await this.#publishEndpoints();
    await this.#runAutoscaler();
    await this.#runGateway();
  }

  async #runDeployments(): Promise<void> {
    for (const deployment of (await this.client.list(DeploymentKind)).items) {
      const { matchLabels = {} } = deployment.spec.selector;
      const query = { namespace: NAMESPACE, labelSelector: selectorText(matchLabels) };
      const wanted = deployment.spec.replicas ?? 1;
      const pods = (await this.client.list(PodKind, query)).items;
      for (const { metadata } of pods.slice(wanted)) {
        await this.client.delete(
          PodKind,
          { namespace: NAMESPACE, name: metadata.name },
          { gracePeriodSeconds: 0 },
        );
      }
      const revision = deployment.metadata.labels?.["serving.knative.dev/revision"] ?? "";
      const fate = this.fates.get(revision) ?? { kind: "ready" };
      for (let index = pods.length; index < wanted; index++) {
        const { template } = deployment.spec;
        await this.client.create(PodKind, {
          apiVersion: "v1",
          kind: "Pod",
          metadata: {
            ...template.metadata,
            name: `${revision}-pod-${index}`,
            namespace: NAMESPACE,
            ownerReferences: [controllerOf(deployment)],
          },
          spec: template.spec,
        });
      }
      let ready = 0;
      for (const [index, pod] of (await this.client.list(PodKind, query)).items.entries()) {
        const isReady = fate.kind === "ready";
        if (isReady) ready++;
        await writeStatus(this.client, PodKind, pod, {
          phase: "Running",
          podIP: `10.1.0.${index + 1}`,
          conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
          containerStatuses: [containerStatus(fate)],
        });
      }
      await writeStatus(this.client, DeploymentKind, deployment, {
        observedGeneration: deployment.metadata.generation,
        replicas: wanted,
        readyReplicas: ready,
        availableReplicas: ready,
        conditions: [{ type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" }],
      });
    }
  }

  async #publishEndpoints(): Promise<void> {
    for (const service of (await this.client.list(ServiceKind, { namespace: NAMESPACE })).items) {
      const { selector, ports = [] } = service.spec;
      if (selector === undefined) continue;
      const query = { namespace: NAMESPACE, labelSelector: selectorText(selector) };
      const addresses = (await this.client.list(PodKind, query)).items.flatMap(({ status }) => {
        const isReady = status?.conditions?.some(
          ({ type, status: state }) => type === "Ready" && state === "True",
        );
        return isReady === true && status?.podIP !== undefined ? [{ ip: status.podIP }] : [];
      });
      const subsets =
        addresses.length === 0
          ? []
          : [{ addresses, ports: ports.map((port) => ({ name: port.name ?? "", port: numberOf(port) })) }];
      const wanted: Endpoints = {
        apiVersion: "v1",
        kind: "Endpoints",
        metadata: {
          name: service.metadata.name,
          namespace: NAMESPACE,
          labels: service.metadata.labels ?? {},
        },
        subsets,
      };
      await this.#apply(EndpointsKind, wanted);
    }
  }

  async #runAutoscaler(): Promise<void> {
    for (const podAutoscaler of (await this.client.list(PodAutoscalerKind)).items) {
      const { name } = podAutoscaler.metadata;
      const { scaleTargetRef, protocolType } = podAutoscaler.spec;
      const spec = { mode: this.sksMode, objectRef: scaleTargetRef, protocolType, numActivators: 2 };
      const sks = (await this.client.list(ServerlessServiceKind)).items.find(
        (one) => one.metadata.name === name,
      );
      if (sks === undefined) {
        await this.client.create(ServerlessServiceKind, {
          apiVersion: "networking.internal.knative.dev/v1alpha1",
          kind: "ServerlessService",
          metadata: {
            name,
            namespace: NAMESPACE,
            labels: podAutoscaler.metadata.labels ?? {},
            ownerReferences: [controllerOf(podAutoscaler)],
          },
          spec,
        });
        continue;
      }
      if (sks.spec.mode !== this.sksMode) await this.client.update(ServerlessServiceKind, { ...sks, spec });
      const deployment = await this.get(DeploymentKind, scaleTargetRef.name);
      const ready = deployment.status?.readyReplicas ?? 0;
      const wanted = deployment.spec.replicas ?? 1;
      const wasInitialized = podAutoscaler.status?.conditions?.some(
        ({ type, status }) => type === "ScaleTargetInitialized" && status === "True",
      );
      const isInitialized = wasInitialized === true || ready >= wanted;
      const isActive = wanted > 0 && ready > 0;
      const state: Omit<Condition, "type"> = isActive
        ? { status: "True" }
        : wanted === 0
          ? { status: "False", reason: "NoTraffic" }
          : { status: "Unknown", reason: "Queued" };
      await writeStatus(this.client, PodAutoscalerKind, podAutoscaler, {
        observedGeneration: podAutoscaler.metadata.generation,
        ...(sks.status?.serviceName === undefined ? {} : { serviceName: sks.status.serviceName }),
        actualScale: ready,
        desiredScale: wanted,
        conditions: [
          { type: "Active", ...state },
          { type: "Ready", ...state },
          { type: "ScaleTargetInitialized", status: isInitialized ? "True" : "Unknown" },
        ],
      });
    }
  }

  async #runGateway(): Promise<void> {
    if (!this.isGatewayUp) return;
    for (const ingress of (await this.client.list(IngressKind)).items) {
      await writeStatus(this.client, IngressKind, ingress, {
        observedGeneration: ingress.metadata.generation,
        conditions: [{ type: "Ready", status: "True", lastTransitionTime: rfc3339(this.clock.wall()) }],
        publicLoadBalancer: this.loadBalancer,
        privateLoadBalancer: this.loadBalancer,
      });
    }
  }
}

function numberOf(port: NonNullable<Service["spec"]["ports"]>[number]): number {
  return typeof port.targetPort === "number" ? port.targetPort : port.port;
}

function containerStatus(fate: PodFate): ContainerStatus {
  const base = { name: "user-container", ready: fate.kind === "ready", restartCount: 0 };
  switch (fate.kind) {
    case "ready":
    case "starting":
      return { ...base, state: { running: { startedAt: "2026-01-01T00:00:00Z" } } };
    case "exits":
      return {
        ...base,
        restartCount: 1,
        state: { waiting: { reason: "CrashLoopBackOff" } },
        lastState: { terminated: { exitCode: fate.code, message: fate.output } },
      };
    case "waits":
      return { ...base, state: { waiting: { reason: fate.reason, message: fate.message } } };
  }
}
