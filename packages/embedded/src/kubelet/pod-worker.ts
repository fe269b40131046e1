import {
  type Clock,
  labels,
  type MonoMs,
  type ObjectKey,
  objectKey,
  type Pod,
  portNames,
  ports,
  QUEUE_PROXY_CONTAINER,
  type Stored,
  unreachable,
  type WallMs,
} from "@rouse/shared";
import { type LivenessDeps, watchLiveness } from "./liveness-watch.ts";
import { OutputRing } from "./output-ring.ts";
import type { PodAddresses } from "./pod-addresses.ts";
import { newHistory, type PodEffect, type PodEvent, type PodState, podStep } from "./pod-lifecycle.ts";
import { PodProcess, type PodProcessDeps } from "./pod-process.ts";
import { type PodView, podStatus } from "./pod-status.ts";
import type { PodPhase } from "./pod-timeline.ts";
import type { PortPool } from "./port-pool.ts";
import { INSTANCE_VARIABLE, POD_VARIABLE } from "./process-records.ts";
import { fixedPort, planProgram, userContainer } from "./program.ts";
import { readinessPeriod, watchReadiness } from "./readiness-watch.ts";
import type { KubeletHooks } from "./sidecar.ts";
import { SidecarHolder, type SidecarHolderDeps } from "./sidecar-holder.ts";
import { StatusWriter, type StatusWriterDeps } from "./status-writer.ts";

/** Kubernetes' `terminationGracePeriodSeconds` where a pod has none. */
export const GRACE_SECONDS_DEFAULT = 30;

export interface PodWorkerDeps extends StatusWriterDeps, SidecarHolderDeps, PodProcessDeps, LivenessDeps {
  readonly clock: Clock;
  readonly ports: Pick<PortPool, "take">;
  readonly addresses: PodAddresses;
  readonly inherited: ReadonlyMap<string, string>;
  readonly hooks: KubeletHooks;
  readonly stamp: (pod: ObjectKey, phase: PodPhase, at: MonoMs) => void;
  /** Removes the pod from the API. */
  readonly remove: (pod: Stored<Pod>) => void;
  /** The worker has released everything. */
  readonly gone: (pod: Stored<Pod>) => void;
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
  readonly output: OutputRing;
  readonly #deps: PodWorkerDeps;
  readonly #options: PodWorkerOptions;
  readonly #pod: Stored<Pod>;
  readonly #process: PodProcess;
  readonly #status: StatusWriter;
  readonly #sidecar: SidecarHolder;
  readonly #createdAt: WallMs;
  #state: PodState = { kind: "starting", history: newHistory };
  #alarm: Disposable | undefined;
  #quiet: Disposable | undefined;
  #userPort = 0;
  #graceMs: number | undefined;
  #hasBeenReady = false;
  #readiness = new AbortController();
  #isClosing = false;

  constructor(deps: PodWorkerDeps, options: PodWorkerOptions, pod: Stored<Pod>) {
    this.#deps = deps;
    this.#options = options;
    this.#pod = pod;
    this.key = objectKey(pod.metadata);
    this.uid = pod.metadata.uid;
    this.fixedPort = fixedPort(pod);
    this.output = new OutputRing(({ stream, text }) => deps.hooks.onOutput?.(this.key, stream, text));
    this.#process = new PodProcess(deps, this.key, this.output);
    this.#status = new StatusWriter(deps, pod);
    this.#createdAt = deps.clock.wall();
    this.#sidecar = new SidecarHolder(deps, pod, {
      port: queuePort(pod),
      isNeeded: hasSidecar(pod),
      changed: () => this.#sidecarChanged(),
      portOpened: () => deps.stamp(this.key, "portOpen", deps.clock.now()),
    });
  }

  get state(): PodState {
    return this.#state;
  }

  get inFlight(): number {
    return this.#sidecar.current?.inFlight ?? 0;
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
    this.#quiet?.[Symbol.dispose]();
    this.#readiness.abort();
    this.#status.close();
    await this.#process.close(graceMs);
    await this.#sidecar.close();
  }

  #launch(userPort: number): void {
    if (this.#isClosing || this.#state.kind === "gone") return;
    this.#userPort = userPort;
    this.#start();
  }

  #start(): void {
    const { inherited, records } = this.#deps;
    const plan = planProgram(this.#pod, {
      userPort: this.#userPort,
      podIp: this.#sidecar.ip,
      inherited,
      markers: { [INSTANCE_VARIABLE]: records.instance, [POD_VARIABLE]: this.key },
    });
    if (plan.kind === "refuse") {
      this.#dispatch({ kind: "refused", reason: plan.reason, message: plan.message });
      return;
    }
    this.#process.start(plan.program, {
      started: (at) => this.#started(at),
      failed: ({ reason, message }) => this.#dispatch({ kind: "start-failed", reason, message }),
      exited: (exit) => this.#dispatch({ kind: "exited", exit }),
    });
    // Beside the process's own start. A failure shows in the pod's status; who wants the sidecar asks again.
    this.#sidecar.start(this.#userPort).catch(() => undefined);
  }

  #started(at: WallMs): void {
    this.#deps.stamp(this.key, "spawned", this.#deps.clock.now());
    this.#dispatch({ kind: "started", at });
    this.#followReadiness();
  }

  #followReadiness(): void {
    this.#readiness.abort();
    const abort = new AbortController();
    this.#readiness = abort;
    this.#followLiveness(abort.signal);
    const watching = this.#sidecar.start(this.#userPort).then(async (sidecar) => {
      if (abort.signal.aborted) return;
      if (sidecar === undefined) {
        this.#status.annotate({ userPort: this.#userPort, queuePort: undefined });
        this.#readinessChanged(true);
        return;
      }
      await watchReadiness(this.#deps, sidecar, readinessPeriod(this.#pod), abort.signal, (isReady) =>
        this.#readinessChanged(isReady),
      );
    });
    watching.catch((error: unknown) => {
      if (!abort.signal.aborted) {
        this.#deps.log.error("readiness lost", { pod: this.key, error: String(error) });
      }
    });
  }

  #followLiveness(signal: AbortSignal): void {
    const container = userContainer(this.#pod);
    if (container === undefined) return;
    void watchLiveness(this.#deps, container, this.#userPort, signal).then((reason) => {
      if (reason === undefined || signal.aborted || this.#state.kind !== "running") return;
      this.#deps.log.info("process is to be started again", { pod: this.key, reason });
      this.#process.condemn(reason);
      const graceSeconds = this.#pod.spec.terminationGracePeriodSeconds ?? GRACE_SECONDS_DEFAULT;
      this.#dispatch({ kind: "unhealthy", graceMs: graceSeconds * 1_000 });
    });
  }

  #readinessChanged(isReady: boolean): void {
    const address = this.#sidecar.current?.address;
    if (isReady) {
      const now = this.#deps.clock.now();
      this.#deps.stamp(this.key, "portOpen", now); // at the latest, where the sidecar has not said when
      this.#deps.stamp(this.key, "ready", now);
      this.#hasBeenReady = true;
      const isServing = this.#state.kind === "running";
      if (isServing && address !== undefined) this.#deps.hooks.onReady?.(this.#pod, address);
    }
    this.#dispatch({ kind: "readiness", isReady });
  }

  #dispatch(event: PodEvent): void {
    if (this.#isClosing) return;
    const before = this.#state;
    const { state, effects } = podStep(before, event, this.#deps.clock.now());
    this.#state = state;
    if (state.kind !== before.kind) {
      this.#alarm?.[Symbol.dispose]();
      this.#alarm = undefined;
      if (state.kind !== "running" && state.kind !== "draining") this.#readiness.abort();
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
        this.#remove();
        return;
      default:
        unreachable(effect);
    }
  }

  /** The sidecar goes on serving while the news of the deletion travels, then lets the requests in flight end. */
  #drain(): void {
    const drained = (): void => this.#dispatch({ kind: "drained" });
    const sidecar = this.#sidecar.current;
    if (sidecar === undefined || !this.#hasBeenReady) {
      drained(); // nobody was ever told of it
      return;
    }
    const drain = (): void => {
      sidecar.drain().then(drained, (error: unknown) => {
        this.#deps.log.warn("drain failed", { pod: this.key, error: String(error) });
        drained();
      });
    };
    if (this.#options.quietMs === 0) drain();
    else this.#quiet = this.#deps.clock.after(this.#options.quietMs, drain);
  }

  #remove(): void {
    this.#quiet?.[Symbol.dispose]();
    this.#status.close();
    this.#process.signal("SIGKILL"); // given up: still there after a kill, or never told to end
    const { log, gone, remove } = this.#deps;
    const close = this.#sidecar.close().catch((error: unknown) => {
      log.warn("queue-proxy did not close", { pod: this.key, error: String(error) });
    });
    // Last of all the API: a pod that is not there holds nothing any more.
    void close.then(() => {
      gone(this.#pod);
      remove(this.#pod);
    });
  }

  #publish(): void {
    const { state } = this;
    // One write for "the process runs, here is its address", not three: they come within two milliseconds.
    const isSettling =
      (state.kind === "starting" && state.history.lastExit === undefined) ||
      (state.kind === "running" && this.#sidecar.view.kind === "starting");
    if (state.kind === "gone" || this.#isClosing || isSettling) return;
    const view: PodView = {
      pod: this.#pod,
      state,
      ip: this.#sidecar.view.kind === "running" ? this.#sidecar.ip : undefined,
      startTime: this.#createdAt,
      sidecar: this.#sidecar.view,
    };
    this.#status.write(podStatus(view, this.#status.latest, this.#deps.clock.wall()));
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

/** The port queue-proxy is to listen on: what its container says (8013 for h2c), else 8012. Q §1. */
function queuePort(pod: Stored<Pod>): number {
  const container = pod.spec.containers.find(({ name }) => name === QUEUE_PROXY_CONTAINER);
  return container?.ports?.find(({ name }) => name === portNames.queue)?.containerPort ?? ports.queueHttp;
}

/** Pods of revisions are served through a queue-proxy; any other pod is a process and nothing more. */
function hasSidecar(pod: Stored<Pod>): boolean {
  return (
    pod.metadata.labels?.[labels.revision] !== undefined ||
    pod.spec.containers.some(({ name }) => name === QUEUE_PROXY_CONTAINER)
  );
}
