import type { Clock, Exchange, Random, Upstream } from "@rouse/shared";
import type { ProcessObserver, RunningProcess } from "../../src/kubelet/process-runner.ts";
import type { Program } from "../../src/kubelet/program.ts";
import type { SimListener } from "./sim-listener.ts";
import type { SimNetwork } from "./sim-network.ts";
import type { Harm } from "./sim-request.ts";

/** Names the request, through every hop. */
export const ID_HEADER = "x-sim-id";
/** How long the program takes over it, in milliseconds. */
export const WORK_HEADER = "x-sim-work";
export const LOOPBACK = "127.0.0.1";
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
  /** The request is being worked on. */
  readonly begun: (request: string) => void;
  /** A process has one request more or one less, or has begun to listen. */
  readonly loadChanged: () => void;
  /** A fault has met the request: whatever happens to it now is nobody else's doing. */
  readonly harmed: (request: string, harm: Harm) => void;
  /** So has everything its queue-proxy has taken for it. */
  readonly harmedAt: (ip: string, harm: Harm) => void;
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

  /** It has not ended: it starts, serves or hangs. */
  get isAlive(): boolean {
    return !this.#isOver;
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
    this.#deps.loadChanged();
  }

  #serve(exchange: Exchange<undefined>): void {
    if (this.isHung) {
      this.#deps.harmed(exchange.request.get(ID_HEADER) ?? "", "hang");
      return;
    }
    this.#deps.begun(exchange.request.get(ID_HEADER) ?? "");
    const workMs = Number(exchange.request.get(WORK_HEADER) ?? 1);
    this.#serving.set(
      exchange,
      this.#deps.clock.after(workMs, () => exchange.respond({ status: 200 })),
    );
    this.runningMax = Math.max(this.runningMax, this.running);
    this.#deps.loadChanged();
    exchange.observe({
      ended: () => {
        this.#serving.get(exchange)?.[Symbol.dispose]();
        this.#serving.delete(exchange);
        this.#deps.loadChanged();
      },
    });
  }

  #hang(): void {
    this.isHung = true;
    this.#deps.told(`${this.pod} hangs with ${this.running} requests`);
    this.#harmAll("hang");
    for (const timer of this.#serving.values()) timer[Symbol.dispose]();
  }

  #crash(): void {
    this.#deps.told(`${this.pod} crashes with ${this.running} requests`);
    this.#harmAll("crash");
    this.#crashed(this.address.port);
    this.#exit(CRASHED);
  }

  #harmAll(harm: Harm): void {
    for (const { request } of this.#serving.keys()) this.#deps.harmed(request.get(ID_HEADER) ?? "", harm);
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
