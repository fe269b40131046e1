import {
  attempt,
  type Clock,
  EventRecorder,
  Informer,
  isKubeError,
  type KubeClient,
  type Logger,
  type MonoMs,
  type ObjectKey,
  objectKey,
  type Pod,
  PodKind,
  type Random,
  type Stored,
} from "@rouse/shared";
import { LogFiles } from "./log-files.ts";
import { type Machine, type MachineOptions, takeMachine } from "./machine.ts";
import { NODE_NAME } from "./node-name.ts";
import type { OutputLine } from "./output-ring.ts";
import { PodAddresses } from "./pod-addresses.ts";
import type { PodState } from "./pod-lifecycle.ts";
import { type Obstacle, unschedulableStatus } from "./pod-status.ts";
import { type PodTimeline, PodTimelines } from "./pod-timeline.ts";
import { GRACE_SECONDS_DEFAULT, PodWorker, type PodWorkerDeps } from "./pod-worker.ts";
import type { ProcessRunner } from "./process-runner.ts";
import { GroupUsage, type ProcessUsage } from "./process-usage.ts";
import { fixedPort } from "./program.ts";
import type { KubeletHooks, SidecarFactory } from "./sidecar.ts";
import { StatusWriter } from "./status-writer.ts";

const PODS_MAX_DEFAULT = 256;
/** queue-proxy has a quiet time of its own: its drain goes on serving until nothing comes any more. */
const QUIET_MS_DEFAULT = 0;
const TIMELINES_MAX = 4_096;

export interface KubeletDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly sidecars: SidecarFactory;
  readonly hooks?: KubeletHooks;
  /** Real processes, started by a helper, unless given. */
  readonly runner?: ProcessRunner;
  /** What else pods take from the machine; the real one unless given. */
  readonly machine?: Machine;
}

export interface KubeletOptions extends MachineOptions {
  /** Pods at one time; more stay Pending, `Unschedulable`. */
  readonly podsMax?: number;
  /** Between a pod's leaving the endpoints and its sidecar's drain. */
  readonly quietMs?: number;
}

/** What a kubelet has acquired for its pods. */
interface Held extends Pick<PodWorkerDeps, "ports" | "addresses" | "records" | "inherited" | "runner"> {
  readonly acquired: AsyncDisposable;
}

/**
 * Runs the home's pods: each is a process group and an in-process queue-proxy, C-167. A pod's process is started in
 * the very turn in which the watch shows the pod.
 */
export class Kubelet implements AsyncDisposable {
  readonly #deps: KubeletDeps;
  readonly #podsMax: number;
  readonly #quietMs: number;
  readonly #workerDeps: PodWorkerDeps;
  readonly #acquired: AsyncDisposable;
  readonly #pods: Informer<Pod>;
  readonly #workers = new Map<ObjectKey, PodWorker>();
  /** Pods there was no room for yet, oldest first. */
  readonly #unscheduled = new Map<ObjectKey, Stored<Pod>>();
  /** Of pods that are gone, what is still on its way to the disk. */
  readonly #writing = new Set<Promise<void>>();
  readonly #timelines: PodTimelines;
  readonly #usage: GroupUsage;
  #isClosed = false;

  private constructor(deps: KubeletDeps, options: KubeletOptions, held: Held) {
    this.#deps = deps;
    const { acquired, ...forPods } = held;
    this.#acquired = acquired;
    this.#podsMax = options.podsMax ?? PODS_MAX_DEFAULT;
    this.#quietMs = options.quietMs ?? QUIET_MS_DEFAULT;
    this.#timelines = new PodTimelines(TIMELINES_MAX);
    this.#usage = new GroupUsage(deps.clock);
    this.#workerDeps = {
      ...forPods,
      ask: attempt,
      client: deps.client,
      clock: deps.clock,
      log: deps.log,
      sidecars: deps.sidecars,
      hooks: deps.hooks ?? {},
      events: new EventRecorder(deps),
      logs: new LogFiles(deps, options.dataDirectory),
      dataDirectory: options.dataDirectory,
      stamp: (pod, phase, at) => this.#timelines.stamp(pod, phase, at),
      remove: (pod) => void this.#removePod(pod),
      gone: (pod, written) => this.#gone(pod, written),
    };
    this.#pods = new Informer<Pod>(deps, PodKind).handle({
      changed: (pod) => this.#changed(pod),
      removed: (pod) => this.#removed(pod),
    });
  }

  /**
   * Ends what an earlier platform left, removes the pods it had (their processes died: C-168), and follows the API.
   * To be started before the workload controllers, so that they never count a dead pod.
   * @throws when the data directory cannot be written
   */
  static async start(deps: KubeletDeps, options: KubeletOptions): Promise<Kubelet> {
    await using held = new AsyncDisposableStack();
    const { hasPodAddresses, ...machine } = deps.machine ?? (await takeMachine(deps, options, held));
    const addresses = new PodAddresses(deps.random, { isPerPod: hasPodAddresses });
    const kubelet = new Kubelet(deps, options, { ...machine, addresses, acquired: held.move() });
    await using starting = new AsyncDisposableStack();
    starting.use(kubelet);
    await kubelet.#removeOldPods();
    await kubelet.#pods.start();
    starting.move();
    return kubelet;
  }

  /** The Deployment controller is about to create the pod: the first stamp of its timeline. */
  podCreated(pod: ObjectKey, at: MonoMs): void {
    this.#timelines.stamp(pod, "created", at);
  }

  timeline(pod: ObjectKey): PodTimeline | undefined {
    return this.#timelines.get(pod);
  }

  /** Requests the pod's queue-proxy has now. */
  inFlight(pod: ObjectKey): number {
    return this.#workers.get(pod)?.inFlight ?? 0;
  }

  /**
   * The kept output of a container's present run, or of its last one while none is on; of the serving container unless
   * named. `undefined` for a pod or container that is not here.
   */
  logs(pod: ObjectKey, container?: string): readonly OutputLine[] | undefined {
    return this.#workers.get(pod)?.output(container)?.lines();
  }

  /** As `logs`, of the last run that has ended; `undefined` also where none has. */
  previousLogs(pod: ObjectKey, container?: string): readonly OutputLine[] | undefined {
    return this.#workers.get(pod)?.output(container)?.previous();
  }

  /** What the pod's processes use at this moment; `undefined` for a pod that is not here or has none. */
  usage(pod: ObjectKey): ProcessUsage | undefined {
    const everyone = (): readonly number[] => [...this.#workers.values()].flatMap((worker) => worker.groups);
    return this.#usage.of(this.#workers.get(pod)?.groups ?? [], everyone);
  }

  state(pod: ObjectKey): PodState | undefined {
    return this.#workers.get(pod)?.state;
  }

  /** Pods that have a place here. */
  get size(): number {
    return this.#workers.size;
  }

  /** Tells every process group to end, kills what is left after `graceMs`, and closes the sidecars. */
  async close(graceMs = 2_000): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pods[Symbol.dispose]();
    await Promise.all([...this.#workers.values()].map((worker) => worker.close(graceMs)));
    this.#workers.clear();
    await Promise.all(this.#writing); // so that nothing is written any more once it is closed
    await this.#acquired[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #changed(pod: Stored<Pod>): void {
    if ((pod.spec.nodeName ?? NODE_NAME) !== NODE_NAME) return;
    const key = objectKey(pod.metadata);
    const worker = this.#workers.get(key);
    if (worker !== undefined && worker.uid !== pod.metadata.uid) {
      worker.delete(0); // of an earlier pod of that name, removed by force; this one has its turn afterwards
      if (pod.metadata.deletionTimestamp === undefined) this.#unscheduled.set(key, pod);
      return;
    }
    if (pod.metadata.deletionTimestamp === undefined) {
      if (worker === undefined) this.#admit(key, pod);
      return;
    }
    this.#unscheduled.delete(key);
    if (worker === undefined) void this.#removePod(pod);
    else worker.delete(graceMsOf(pod));
  }

  #removed(pod: Stored<Pod>): void {
    const key = objectKey(pod.metadata);
    this.#unscheduled.delete(key);
    this.#workers.get(key)?.delete(0); // removed by force: its process goes all the same
  }

  #admit(key: ObjectKey, pod: Stored<Pod>): void {
    const obstacle = this.#obstacle(pod);
    if (obstacle !== undefined) {
      if (!this.#unscheduled.has(key)) this.#refuseForNow(pod, obstacle);
      this.#unscheduled.set(key, pod);
      return;
    }
    this.#unscheduled.delete(key);
    this.#timelines.stamp(key, "seen", this.#deps.clock.now());
    const worker = new PodWorker(this.#workerDeps, { quietMs: this.#quietMs }, pod);
    this.#workers.set(key, worker);
    worker.begin();
    if (pod.spec.nodeName === undefined) void this.#bind(pod);
  }

  /** A pod somebody made by hand: there is no scheduler here but this. */
  async #bind(pod: Stored<Pod>): Promise<void> {
    const { namespace, name } = pod.metadata;
    const body = { spec: { nodeName: NODE_NAME } };
    try {
      await this.#deps.client.patch(PodKind, { namespace, name }, { kind: "merge", body });
    } catch (error) {
      if (isKubeError(error, "NotFound")) return;
      this.#deps.log.warn("pod not bound", { pod: `${namespace}/${name}`, error: String(error) });
    }
  }

  /** Why there is no place for the pod now. */
  #obstacle(pod: Stored<Pod>): Obstacle | undefined {
    if (this.#workers.size >= this.#podsMax) {
      return { reason: "OutOfPods", message: `this home runs at most ${this.#podsMax} pods at one time` };
    }
    const port = fixedPort(pod);
    if (port === undefined) return undefined;
    for (const worker of this.#workers.values()) {
      // Started now, it would only fail: an earlier pod of the revision may still be ending its last requests.
      if (worker.fixedPort === port) {
        return {
          reason: "HostPort",
          message: `port ${port} belongs to pod ${worker.key} as long as it lives`,
        };
      }
    }
    return undefined;
  }

  #refuseForNow(pod: Stored<Pod>, obstacle: Obstacle): void {
    const writer = new StatusWriter(this.#deps, pod);
    writer.write(unschedulableStatus(obstacle, pod.status, this.#deps.clock.wall()));
  }

  #gone(pod: Stored<Pod>, written: Promise<void>): void {
    this.#writing.add(written);
    void written.finally(() => this.#writing.delete(written));
    this.#workers.delete(objectKey(pod.metadata));
    if (this.#isClosed) return;
    for (const [key, waiting] of [...this.#unscheduled]) this.#admit(key, waiting);
  }

  async #removeOldPods(): Promise<void> {
    const { items } = await this.#deps.client.list(PodKind);
    // A pod without a start time has never run; one nobody would make again is run again instead.
    const old = items.filter(
      (pod) =>
        pod.metadata.deletionTimestamp !== undefined ||
        (pod.status?.startTime !== undefined && (pod.metadata.ownerReferences?.length ?? 0) > 0),
    );
    await Promise.all(old.map((pod) => this.#removePod(pod)));
  }

  async #removePod(pod: Stored<Pod>): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    try {
      await this.#deps.client.delete(PodKind, { namespace, name }, { gracePeriodSeconds: 0, uid });
    } catch (error) {
      // Gone already, or another pod has its name by now.
      if (isKubeError(error, "NotFound") || isKubeError(error, "Conflict")) return;
      this.#deps.log.error("pod not removed", { pod: `${namespace}/${name}`, error: String(error) });
    }
  }
}

function graceMsOf(pod: Stored<Pod>): number {
  const seconds =
    pod.metadata.deletionGracePeriodSeconds ??
    pod.spec.terminationGracePeriodSeconds ??
    GRACE_SECONDS_DEFAULT;
  return seconds * 1_000;
}
