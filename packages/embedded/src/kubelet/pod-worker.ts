import {
  type Clock,
  type Container,
  type EventRecorder,
  type MonoMs,
  type ObjectKey,
  objectKey,
  type Pod,
  type Stored,
  unreachable,
  type WallMs,
} from "@rouse/shared";
import type { LivenessDeps } from "./liveness-watch.ts";
import type { OutputRing } from "./output-ring.ts";
import type { PodAddresses } from "./pod-addresses.ts";
import { PodDeparture, type PodDepartureDeps } from "./pod-departure.ts";
import { newHistory, type PodEffect, type PodEvent, type PodState, podStep } from "./pod-lifecycle.ts";
import { PodOutputs } from "./pod-outputs.ts";
import { type Obstruction, PodPreparation } from "./pod-preparation.ts";
import { PodProcess, type PodProcessDeps } from "./pod-process.ts";
import { type PodView, podStatus } from "./pod-status.ts";
import type { PodPhase } from "./pod-timeline.ts";
import type { PortPool } from "./port-pool.ts";
import { INSTANCE_VARIABLE, POD_VARIABLE } from "./process-records.ts";
import { fixedPort, type ProgramPlan, planProgram, sideContainers, userContainer } from "./program.ts";
import { ProgramWatch } from "./program-watch.ts";
import { SideContainer } from "./side-container.ts";
import type { KubeletHooks } from "./sidecar.ts";
import { hasSidecar, queuePort, SidecarHolder, type SidecarHolderDeps } from "./sidecar-holder.ts";
import { StatusWriter, type StatusWriterDeps } from "./status-writer.ts";

/** Kubernetes' `terminationGracePeriodSeconds` where a pod has none. */
export const GRACE_SECONDS_DEFAULT = 30;
/** Source of the events. */
const COMPONENT = "kubelet";

export interface PodWorkerDeps
  extends StatusWriterDeps,
    SidecarHolderDeps,
    PodProcessDeps,
    LivenessDeps,
    PodDepartureDeps {
  readonly clock: Clock;
  readonly ports: Pick<PortPool, "take">;
  readonly addresses: PodAddresses;
  readonly inherited: ReadonlyMap<string, string>;
  readonly hooks: KubeletHooks;
  readonly events: EventRecorder;
  /** Where volumes are made. */
  readonly dataDirectory: string;
  readonly stamp: (pod: ObjectKey, phase: PodPhase, at: MonoMs) => void;
}

export interface PodWorkerOptions {
  /** Between leaving the endpoints and draining: for sidecars that wait for no news to travel themselves. */
  readonly quietMs: number;
}

/** Does what the lifecycle of one pod says: process, sidecar, readiness, status, end. */
export class PodWorker {
  readonly key: ObjectKey;
  readonly uid: string;
  /** The port its program insists on, if it does. */
  readonly fixedPort: number | undefined;
  readonly #deps: PodWorkerDeps;
  readonly #pod: Stored<Pod>;
  readonly #process: PodProcess;
  readonly #status: StatusWriter;
  readonly #sidecar: SidecarHolder;
  readonly #outputs: PodOutputs;
  readonly #sides: readonly SideContainer[];
  readonly #preparation: PodPreparation;
  readonly #watch: ProgramWatch;
  readonly #departure: PodDeparture;
  readonly #createdAt: WallMs;
  #state: PodState = { kind: "starting", history: newHistory };
  #alarm: Disposable | undefined;
  #userPort = 0;
  #graceMs: number | undefined;
  #hasBeenReady = false;
  /** The serving program is ready; the pod is when what runs beside it is as well. */
  #isProgramReady = false;
  #isAnnounced = false;
  #isPreparing = false;
  #isClosing = false;

  constructor(deps: PodWorkerDeps, options: PodWorkerOptions, pod: Stored<Pod>) {
    this.#deps = deps;
    this.#pod = pod;
    this.key = objectKey(pod.metadata);
    this.uid = pod.metadata.uid;
    this.fixedPort = fixedPort(pod);
    this.#outputs = new PodOutputs(deps, pod, this.key);
    this.#process = new PodProcess(deps, this.key, this.#outputs.open(userContainer(pod)?.name ?? ""));
    this.#sides = sideContainers(pod).map((container) => this.#sideOf(container));
    this.#preparation = new PodPreparation(deps, {
      key: this.key,
      pod,
      output: (container) => this.#outputs.open(container),
      plan: (container) => this.#plan(container, false),
      changed: () => this.#publish(),
    });
    this.#status = new StatusWriter(deps, pod);
    this.#createdAt = deps.clock.wall();
    this.#sidecar = new SidecarHolder(deps, pod, {
      port: queuePort(pod),
      isNeeded: hasSidecar(pod),
      changed: () => this.#sidecarChanged(),
      portOpened: () => deps.stamp(this.key, "portOpen", deps.clock.now()),
    });
    this.#watch = new ProgramWatch(deps, {
      key: this.key,
      pod,
      sidecar: () => this.#sidecar.start(this.#userPort),
      readiness: (isReady, isAsked) => {
        if (!isAsked) this.#status.annotate({ userPort: this.#userPort, queuePort: undefined });
        this.#readinessChanged(isReady);
      },
      unhealthy: (reason) => this.#unhealthy(reason),
    });
    this.#departure = new PodDeparture(deps, options, {
      key: this.key,
      pod,
      process: this.#process,
      sidecar: this.#sidecar,
      sides: this.#sides,
      preparation: this.#preparation,
      outputs: this.#outputs,
    });
  }

  get state(): PodState {
    return this.#state;
  }

  get inFlight(): number {
    return this.#sidecar.current?.inFlight ?? 0;
  }

  /** The kept output of a container, of the serving one unless named. */
  output(container?: string): OutputRing | undefined {
    return this.#outputs.of(container ?? userContainer(this.#pod)?.name ?? "");
  }

  /** The process groups it has now. */
  get groups(): readonly number[] {
    return [this.#process.pid, this.#preparation.pid, ...this.#sides.map(({ pid }) => pid)].filter(
      (pid) => pid !== undefined,
    );
  }

  /** Starts the process before it returns, whenever a port is in reserve. */
  begin(): void {
    if (this.fixedPort !== undefined) this.#launch(this.fixedPort);
    else this.#deps.ports.take((port) => this.#launch(port));
  }

  /** The pod is to go. May be called again with another grace. */
  delete(graceMs: number): void {
    if (this.#graceMs === graceMs) return;
    this.#graceMs = graceMs;
    this.#dispatch({ kind: "deleted", graceMs });
  }

  /** Ends everything because the platform ends; the API is left as it is. */
  async close(graceMs: number): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#alarm?.[Symbol.dispose]();
    this.#watch.stop();
    this.#status.close();
    await this.#departure.close(graceMs);
  }

  #launch(userPort: number): void {
    if (this.#isClosing || this.#state.kind === "gone") return;
    this.#userPort = userPort;
    this.#start();
  }

  /** In the same turn, unless something has to be read or run before. */
  #start(): void {
    if (!this.#preparation.isNeeded) this.#startProgram();
    else if (!this.#isPreparing) void this.#prepare();
  }

  async #prepare(): Promise<void> {
    this.#isPreparing = true;
    const obstruction = await this.#preparation.run();
    this.#isPreparing = false;
    if (this.#isClosing || this.#state.kind !== "starting") return;
    if (obstruction === undefined) this.#startProgram();
    else this.#cannotStart(obstruction);
  }

  #plan(container: Container, isServing: boolean): ProgramPlan {
    const { inherited, records } = this.#deps;
    return planProgram(this.#pod, container, {
      isServing,
      userPort: this.#userPort,
      podIp: this.#sidecar.ip,
      sources: this.#preparation.sources,
      volumes: this.#preparation.volumes,
      inherited,
      markers: { [INSTANCE_VARIABLE]: records.instance, [POD_VARIABLE]: this.key },
    });
  }

  #cannotStart({ isFinal, reason, message }: Obstruction): void {
    this.#note("Warning", "Failed", message);
    this.#dispatch({ kind: isFinal ? "refused" : "start-failed", reason, message });
  }

  #startProgram(): void {
    const container = userContainer(this.#pod);
    if (container === undefined) {
      const message = "the pod has no container to run";
      this.#cannotStart({ isFinal: true, reason: "CreateContainerError", message });
      return;
    }
    const plan = this.#plan(container, true);
    if (plan.kind === "refuse") {
      this.#cannotStart(plan);
      return;
    }
    this.#process.start(plan.program, {
      started: (at, since) => this.#started(at, since, container, plan),
      failed: ({ reason, message }) => this.#cannotStart({ isFinal: false, reason, message }),
      exited: (exit) => this.#dispatch({ kind: "exited", exit }),
    });
    for (const side of this.#sides) side.start();
    // Beside the process's own start. A failure shows in the pod's status; who wants the sidecar asks again.
    this.#sidecar.start(this.#userPort).catch(() => undefined);
  }

  #started(at: WallMs, since: MonoMs, container: Container, plan: Runnable): void {
    this.#deps.stamp(this.key, "spawned", since);
    this.#dispatch({ kind: "started", at });
    this.#note("Normal", "Started", `Started a process for container ${container.name}`);
    this.#watch.follow(container, plan.program, this.#userPort);
  }

  #unhealthy(reason: string): void {
    if (this.#state.kind !== "running") return;
    this.#deps.log.info("process is to be started again", { pod: this.key, reason });
    this.#note("Warning", "Unhealthy", reason);
    this.#process.condemn(reason);
    this.#dispatch({ kind: "unhealthy", graceMs: this.#graceSeconds * 1_000 });
  }

  #readinessChanged(isReady: boolean): void {
    this.#isProgramReady = isReady;
    if (isReady) this.#deps.stamp(this.key, "portOpen", this.#deps.clock.now()); // where the sidecar has not said when
    this.#announce();
    this.#dispatch({ kind: "readiness", isReady });
  }

  /** Tells who waits for it that the pod serves, once all its containers are ready. */
  #announce(): void {
    const isReady = this.#isProgramReady && this.#sides.every((side) => side.isReady);
    const isNew = isReady && !this.#isAnnounced;
    this.#isAnnounced = isReady;
    if (!isNew) return;
    this.#deps.stamp(this.key, "ready", this.#deps.clock.now());
    this.#hasBeenReady = true;
    const address = this.#sidecar.current?.address;
    const isServing = this.#state.kind === "running";
    if (isServing && address !== undefined) this.#deps.hooks.onReady?.(this.#pod, address);
  }

  #dispatch(event: PodEvent): void {
    if (this.#isClosing) return;
    const before = this.#state;
    const { state, effects } = podStep(before, event, this.#deps.clock.now());
    this.#state = state;
    if (state.kind !== before.kind) {
      this.#alarm?.[Symbol.dispose]();
      this.#alarm = undefined;
      if (state.kind !== "running" && state.kind !== "draining") {
        this.#watch.stop();
        this.#isProgramReady = false;
        this.#isAnnounced = false;
      }
      if (state.kind === "backing-off") this.#note("Warning", "BackOff", state.message);
      if (state.kind === "stopping") this.#note("Normal", "Killing", "Stopping the pod's processes");
    }
    for (const effect of effects) this.#perform(effect);
    if (this.#state === state && state !== before) this.#publish();
  }

  #perform(effect: PodEffect): void {
    switch (effect.do) {
      case "start":
        this.#start();
        return;
      case "drain":
        this.#drain();
        return;
      case "signal":
        this.#process.signal(effect.signal);
        return;
      case "alarm":
        this.#alarm?.[Symbol.dispose]();
        this.#alarm = this.#deps.clock.after(effect.afterMs, () => this.#dispatch({ kind: "alarm" }));
        return;
      case "remove":
        this.#status.close();
        this.#departure.release();
        return;
      default:
        unreachable(effect);
    }
  }

  #drain(): void {
    const drained = (): void => this.#dispatch({ kind: "drained" });
    if (this.#hasBeenReady) this.#departure.drain(drained);
    else drained(); // nobody was ever told of it
  }

  #publish(): void {
    const { state } = this;
    // One write for "the process runs, here is its address", not three: they come within two milliseconds.
    const isSettling =
      (state.kind === "starting" && state.history.lastExit === undefined && !this.#isPreparing) ||
      (state.kind === "running" && this.#sidecar.view.kind === "starting");
    if (state.kind === "gone" || this.#isClosing || isSettling) return;
    const view: PodView = {
      pod: this.#pod,
      state,
      ip: this.#sidecar.view.kind === "running" ? this.#sidecar.ip : undefined,
      startTime: this.#createdAt,
      sidecar: this.#sidecar.view,
      sides: this.#sides,
      inits: this.#preparation.inits,
    };
    this.#status.write(podStatus(view, this.#status.latest, this.#deps.clock.wall()));
  }

  get #graceSeconds(): number {
    return this.#pod.spec.terminationGracePeriodSeconds ?? GRACE_SECONDS_DEFAULT;
  }

  #sideOf(container: Container): SideContainer {
    return new SideContainer(this.#deps, {
      pod: this.key,
      container,
      output: this.#outputs.open(container.name),
      plan: () => this.#plan(container, false),
      graceMs: this.#graceSeconds * 1_000,
      changed: ({ state }) => {
        const isStuck = state.kind === "refused" || state.kind === "backing-off";
        if (isStuck) this.#note("Warning", state.kind === "refused" ? "Failed" : "BackOff", state.message);
        this.#announce();
        this.#publish();
      },
    });
  }

  #note(type: "Normal" | "Warning", reason: string, message: string): void {
    this.#deps.events.record(COMPONENT, this.#pod, { type, reason, message });
  }

  /** Its port is written before the first status that shows an address: the two are read together. */
  #sidecarChanged(): void {
    const listening = this.#sidecar.current;
    if (listening !== undefined) {
      const queuePort = this.#deps.addresses.isPerPod ? undefined : listening.address.port;
      this.#status.annotate({ userPort: this.#userPort, queuePort });
    }
    this.#publish();
  }
}

type Runnable = Extract<ProgramPlan, { kind: "run" }>;
