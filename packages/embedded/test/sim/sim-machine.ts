import type { PodScraper } from "@rouse/autoscaler";
import { QueueProxy } from "@rouse/queue-proxy";
import {
  labels,
  type ObjectKey,
  objectKey,
  type Pod,
  type Stat,
  type Stored,
  silentLogger,
  type Upstream,
} from "@rouse/shared";
import { sidecarSettings } from "../../src/home/pod-sidecars.ts";
import type { Machine } from "../../src/kubelet/machine.ts";
import type { ProcessObserver, ProcessRunner, RunningProcess } from "../../src/kubelet/process-runner.ts";
import type { Program } from "../../src/kubelet/program.ts";
import type { Sidecar, SidecarFactory, SidecarPlace } from "../../src/kubelet/sidecar.ts";
import { ID_HEADER, LOOPBACK, type MachineDeps, SimProcess } from "./sim-process.ts";

const NOTICED_MS = 2;

/** The machine of a simulated home: processes and ports that are only numbers, and real queue-proxies beside them. */
export class SimMachine implements ProcessRunner, SidecarFactory, PodScraper {
  /** The latest of each pod. */
  readonly processes = new Map<string, SimProcess>();
  readonly all: SimProcess[] = [];
  readonly sidecars = new Map<ObjectKey, QueueProxy>();
  /** When each address last told its load. */
  readonly scrapedAt = new Map<string, number>();
  readonly draining = new Set<ObjectKey>();
  /** Whether a scrape gets no answer. */
  scrapeFails: () => boolean = () => false;
  readonly #deps: MachineDeps;
  readonly #crashed = new Set<number>();
  #pid = 1_000_000;
  #port = 10_000;

  constructor(deps: MachineDeps) {
    this.#deps = deps;
    deps.network.onRefused = ({ ip, port }, head) => {
      // A program that crashed is not there until it has been started again.
      if (ip === LOOPBACK && this.#crashed.has(port)) deps.harmed(head.get(ID_HEADER) ?? "", "crash");
    };
  }

  /** The latest process of each pod of a service, ended ones among them. */
  podsOf(service: string): readonly { readonly key: ObjectKey; readonly process: SimProcess }[] {
    return [...this.processes.values()]
      .filter(({ pod }) => podRef(pod).name.startsWith(`${service}-`))
      .map((process) => ({ key: objectKey(podRef(process.pod)), process }));
  }

  /** The process beside the queue-proxy of that address. */
  processAt(ip: string): SimProcess | undefined {
    return this.processes.get(this.podAt(ip) ?? "");
  }

  /** The pod of that address. */
  podAt(ip: string): ObjectKey | undefined {
    for (const [pod, { address }] of this.sidecars) if (address.ip === ip) return pod;
    return undefined;
  }

  /** What the kubelet takes instead of the real machine. */
  get machine(): Machine {
    return {
      hasPodAddresses: true,
      inherited: new Map<string, string>(),
      runner: this,
      ports: { take: (use: (port: number) => void) => use(this.#port++) },
      records: { instance: "sim", add: () => {}, remove: () => {} },
    };
  }

  run(program: Program, observer: ProcessObserver): RunningProcess {
    const process = new SimProcess(this.#deps, program, observer, (port) => {
      this.#crashed.add(port);
      const sidecar = this.sidecars.get(objectKey(podRef(process.pod)));
      if (sidecar !== undefined) this.#deps.harmedAt(sidecar.address.ip, "crash");
    });
    this.processes.set(process.pod, process);
    this.all.push(process);
    observer.started(this.#pid++);
    return process;
  }

  async start(pod: Stored<Pod>, place: SidecarPlace): Promise<Sidecar> {
    const { clock, random, network } = this.#deps;
    const key = objectKey(pod.metadata);
    const { readinessProbe: _, ...settings } = sidecarSettings(pod);
    const proxy = await QueueProxy.start(
      { clock, random, log: silentLogger, network },
      {
        ip: place.ip,
        port: place.port,
        userPort: place.userPort,
        podName: pod.metadata.name,
        revision: { namespace: pod.metadata.namespace, name: pod.metadata.labels?.[labels.revision] ?? "" },
        ...settings,
      },
    );
    this.sidecars.set(key, proxy);
    const program = { ip: LOOPBACK, port: place.userPort };
    return {
      address: proxy.address,
      awaitReady: (signal) => this.#awaitListening(program, signal),
      checkReady: async () => network.isListening(program) && this.processes.get(key)?.isHung !== true,
      drain: () => {
        this.draining.add(key);
        return proxy.drain();
      },
      get inFlight() {
        return proxy.inFlight;
      },
      close: async () => {
        if (this.sidecars.get(key) === proxy) this.sidecars.delete(key);
        await proxy.close();
      },
    };
  }

  async scrape(pod: { readonly namespace: string; readonly name: string }): Promise<Stat | undefined> {
    const sidecar = this.sidecars.get(objectKey(pod));
    const stat = sidecar?.takeStat();
    if (sidecar === undefined || this.scrapeFails()) return undefined;
    this.scrapedAt.set(sidecar.address.ip, this.#deps.clock.now());
    return stat;
  }

  #awaitListening(program: Upstream, signal: AbortSignal): Promise<boolean> {
    const { network, clock } = this.#deps;
    return new Promise((resolve) => {
      let timer: Disposable | undefined;
      const opened = (): void => {
        timer ??= clock.after(NOTICED_MS, () => finish(network.isListening(program)));
      };
      const watch = network.onOpen(program, opened);
      const finish = (isReady: boolean): void => {
        watch[Symbol.dispose]();
        timer?.[Symbol.dispose]();
        signal.removeEventListener("abort", abandon);
        resolve(isReady);
      };
      const abandon = (): void => finish(false);
      signal.addEventListener("abort", abandon, { once: true });
      if (signal.aborted) abandon();
      else if (network.isListening(program)) opened();
    });
  }
}

function podRef(key: string): { readonly namespace: string; readonly name: string } {
  const [namespace = "", name = ""] = key.split("/");
  return { namespace, name };
}
