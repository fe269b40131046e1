import type { Pod, Stored } from "@rouse/shared";
import type { OutputStream } from "../output-ring.ts";
import type {
  ProcessEnd,
  ProcessObserver,
  ProcessRunner,
  RunningProcess,
  StartFailure,
} from "../process-runner.ts";
import type { Program } from "../program.ts";
import type { Sidecar, SidecarFactory, SidecarPlace } from "../sidecar.ts";

/** A process that does what a test says. */
export class FakeProcess implements RunningProcess {
  readonly pid: number;
  readonly program: Program;
  /** Signals it was sent. */
  readonly signals: string[] = [];
  readonly #observer: ProcessObserver;
  #heeds: boolean;

  constructor(pid: number, program: Program, observer: ProcessObserver, heedsTerm: boolean) {
    this.pid = pid;
    this.program = program;
    this.#observer = observer;
    this.#heeds = heedsTerm;
  }

  signal(name: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    this.signals.push(name);
    if (name === "SIGKILL") this.exit({ exitCode: 137, signal: 9 });
    if (name === "SIGTERM" && this.#heeds) this.exit({ exitCode: 143, signal: 15 });
  }

  write(text: string, stream: OutputStream = "stdout"): void {
    this.#observer.output(stream, Buffer.from(text));
  }

  /** Reported once, in a later turn as by the system. */
  exit(end: ProcessEnd): void {
    this.#heeds = false;
    queueMicrotask(() => this.#observer.exited(end));
  }
}

/** Starts nothing. */
export class FakeRunner implements ProcessRunner {
  readonly started: FakeProcess[] = [];
  /** The next starts fail with this. */
  failure: StartFailure | undefined;
  heedsTerm = true;

  get latest(): FakeProcess {
    const process = this.started.at(-1);
    if (process === undefined) throw new Error("no process was started");
    return process;
  }

  run(program: Program, observer: ProcessObserver): RunningProcess {
    const { failure } = this;
    if (failure !== undefined) {
      queueMicrotask(() => observer.failed(failure));
      return { signal: () => {} };
    }
    // No process has such a number, so nothing real is ever recorded.
    const process = new FakeProcess(999_000_000 + this.started.length, program, observer, this.heedsTerm);
    this.started.push(process);
    observer.started(process.pid);
    return process;
  }
}

/** A sidecar that is ready when a test says. */
export class FakeSidecar implements Sidecar {
  readonly address: { readonly ip: string; readonly port: number };
  inFlight = 0;
  isClosed = false;
  /** Set while a drain waits. */
  drained: (() => void) | undefined;
  #becomeReady: (() => void) | undefined;

  constructor(place: SidecarPlace) {
    this.address = { ip: place.ip, port: place.port };
  }

  ready(): void {
    this.#becomeReady?.();
  }

  awaitReady(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      this.#becomeReady = () => resolve(true);
      signal.addEventListener("abort", () => resolve(false));
    });
  }

  async checkReady(): Promise<boolean> {
    return true;
  }

  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.drained = resolve;
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

export class FakeSidecars implements SidecarFactory {
  readonly started: FakeSidecar[] = [];
  readonly places: SidecarPlace[] = [];
  /** Thrown by that many next starts. */
  failures: { readonly error: Error; times: number } | undefined;

  get latest(): FakeSidecar {
    const sidecar = this.started.at(-1);
    if (sidecar === undefined) throw new Error("no sidecar was started");
    return sidecar;
  }

  async start(_pod: Stored<Pod>, place: SidecarPlace): Promise<Sidecar> {
    this.places.push(place);
    if (this.failures !== undefined && this.failures.times-- > 0) throw this.failures.error;
    const sidecar = new FakeSidecar(place);
    this.started.push(sidecar);
    return sidecar;
  }
}

export function addressInUse(): Error {
  return Object.assign(new Error("listen EADDRINUSE"), { code: "EADDRINUSE" });
}
