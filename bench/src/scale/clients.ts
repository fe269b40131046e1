import { Agent, request } from "node:http";

const SEND_MS = 10;
const CONNECTIONS_MAX = 256;

export interface Target {
  readonly port: number;
  readonly host: string;
  /** How long the program takes over each. */
  readonly workMs: number;
}

/** Whoever calls a service, and what they got. */
export class Clients implements Disposable {
  /** Answers by status; 0 counts connections that broke. */
  readonly statuses = new Map<number, number>();
  inFlight = 0;
  sent = 0;
  readonly #target: Target;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
  #wanted = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(target: Target) {
    this.#target = target;
  }

  /** Answers other than 200. */
  get errors(): number {
    return [...this.statuses].reduce((sum, [status, times]) => sum + (status === 200 ? 0 : times), 0);
  }

  /** As many from now on, each with one request at a time. 0: those under way end. */
  keep(count: number): void {
    this.#wanted = count;
    while (this.inFlight < this.#wanted) this.#send();
  }

  /** Sends so many per second, whatever becomes of them, until told otherwise. */
  pace(perSecond: number): void {
    clearInterval(this.#timer);
    const begunAt = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      const due = ((performance.now() - begunAt) * perSecond) / 1_000;
      for (; sent < due; sent++) this.#send();
    }, SEND_MS);
  }

  /** Sends nothing more, and waits for what is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#wanted = 0;
    while (this.inFlight > 0) await new Promise((resolve) => setTimeout(resolve, SEND_MS));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#wanted = 0;
    this.#agent.destroy();
  }

  #send(): void {
    const { port, host, workMs } = this.#target;
    this.inFlight++;
    this.sent++;
    const ended = (status: number): void => {
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      this.inFlight--;
      if (this.inFlight < this.#wanted) this.#send();
    };
    const options = { port, host: "127.0.0.1", path: `/${workMs}`, headers: { host }, agent: this.#agent };
    const sent = request(options, (response) => {
      response.resume();
      response.once("end", () => ended(response.statusCode ?? 0));
      response.once("error", () => ended(0));
    });
    sent.once("error", () => ended(0));
    sent.end();
  }
}
