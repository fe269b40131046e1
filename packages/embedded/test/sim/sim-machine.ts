import type { PodScraper } from "@rouse/autoscaler";
import { QueueProxy } from "@rouse/queue-proxy";
import {
  type Clock,
  type Exchange,
  labels,
  type ObjectKey,
  objectKey,
  type Pod,
  type Random,
  type Stat,
  type Stored,
  silentLogger,
  type Upstream,
} from "@rouse/shared";
import { sidecarSettings } from "../../src/home/pod-sidecars.ts";
import type { Machine } from "../../src/kubelet/kubelet.ts";
import type { ProcessObserver, ProcessRunner, RunningProcess } from "../../src/kubelet/process-runner.ts";
import type { Program } from "../../src/kubelet/program.ts";
import type { Sidecar, SidecarFactory, SidecarPlace } from "../../src/kubelet/sidecar.ts";
import type { SimListener, SimNetwork } from "./sim-network.ts";

/** Names the request, through every hop. */
export const ID_HEADER = "x-sim-id";
/** How long the program takes over it, in milliseconds. */
export const WORK_HEADER = "x-sim-work";
const LOOPBACK = "127.0.0.1";
const NOTICED_MS = 2;
const CRASHED = { exitCode: 1 } as const;

/** What becomes of one process. */
export type Fate =
  | { readonly kind: "serves" }
  | { readonly kind: "fails-to-start" }
  | { readonly kind: "crashes"; readonly afterMs: number }
  /** Listens, and answers nothing more. */
  | { readonly kind: "hangs"; readonly afterMs: number };

export interface MachineDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: SimNetwork;
  readonly draw: () => { readonly startMs: number; readonly fate: Fate };
  /** A fault has met the request: whatever happens to it now is nobody else's doing. */
  readonly harmed: (request: string) => void;
  /** So has everything its queue-proxy has taken for it. */
  readonly harmedAt: (ip: string) => void;
  readonly told: (text: string) => void;
}

/** One process: opens its port after a while, serves, and may crash or hang. */
export class SimProcess implements RunningProcess {
  readonly address: Upstream;
  readonly pod: string;
  readonly #deps: MachineDeps;
  readonly #observer: ProcessObserver;
  readonly #crashed: (port: number) => void;
  readonly #timers = new DisposableStack();
  readonly #serving = new Map<Exchange<undefined>, Disposable>();
  #listener: SimListener | undefined;
  #isOver = false;
  isHung = false;
  /** Requests it had at one time, at most. */
  runningMax = 0;

  constructor(
    deps: MachineDeps,
    program: Program,
    observer: ProcessObserver,
    crashed: (port: number) => void,
  ) {
    this.#deps = deps;
    this.#crashed = crashed;
    this.#observer = observer;
    this.address = { ip: LOOPBACK, port: Number(program.environment.PORT) };
    this.pod = program.environment.ROUSE_POD ?? "";
    const { startMs, fate } = deps.draw();
    if (fate.kind === "fails-to-start") this.#after(startMs, () => this.#crash());
    else this.#after(startMs, () => this.#open());
    if (fate.kind === "crashes") this.#after(startMs + fate.afterMs, () => this.#crash());
    if (fate.kind === "hangs") this.#after(startMs + fate.afterMs, () => this.#hang());
  }

  get isUp(): boolean {
    return this.#listener !== undefined && !this.isHung && !this.#isOver;
  }

  get running(): number {
    return this.#serving.size;
  }

  signal(name: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    if (name === "SIGKILL") this.#exit({ exitCode: 137, signal: 9 });
    // A program without manners: what it has in hand is lost. A drain has to be over by then.
    if (name === "SIGTERM" && !this.isHung) {
      this.#after(this.#deps.random.integer(0, 50), () => this.#exit({ exitCode: 143, signal: 15 }));
    }
  }

  #open(): void {
    this.#listener = this.#deps.network.open<undefined>(
      {
        clock: this.#deps.clock,
        context: () => undefined,
        handler: (exchange) => this.#serve(exchange),
      },
      this.address,
    );
  }

  #serve(exchange: Exchange<undefined>): void {
    if (this.isHung) {
      this.#deps.harmed(exchange.request.get(ID_HEADER) ?? "");
      return;
    }
    const workMs = Number(exchange.request.get(WORK_HEADER) ?? 1);
    this.#serving.set(
      exchange,
      this.#deps.clock.after(workMs, () => exchange.respond({ status: 200 })),
    );
    this.runningMax = Math.max(this.runningMax, this.running);
    exchange.observe({
      ended: () => {
        this.#serving.get(exchange)?.[Symbol.dispose]();
        this.#serving.delete(exchange);
      },
    });
  }

  #hang(): void {
    this.isHung = true;
    this.#deps.told(`${this.pod} hangs with ${this.running} requests`);
    this.#harmAll();
    for (const timer of this.#serving.values()) timer[Symbol.dispose]();
  }

  #crash(): void {
    this.#deps.told(`${this.pod} crashes with ${this.running} requests`);
    this.#harmAll();
    this.#crashed(this.address.port);
    this.#exit(CRASHED);
  }

  #harmAll(): void {
    for (const { request } of this.#serving.keys()) this.#deps.harmed(request.get(ID_HEADER) ?? "");
  }

  #exit(end: { readonly exitCode: number; readonly signal?: number }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timers.dispose();
    this.#listener?.cut();
    this.#deps.clock.soon(() => this.#observer.exited(end));
  }

  #after(ms: number, run: () => void): void {
    const timer = this.#deps.clock.after(ms, () => {
      if (!this.#isOver) run();
    });
    if (!this.#timers.disposed) this.#timers.use(timer);
  }
}

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
      if (ip === LOOPBACK && this.#crashed.has(port)) deps.harmed(head.get(ID_HEADER) ?? "");
    };
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
      if (sidecar !== undefined) this.#deps.harmedAt(sidecar.address.ip);
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
