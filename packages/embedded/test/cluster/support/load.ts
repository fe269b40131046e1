import { Agent, request } from "node:http";
import type { Clock, Random } from "@rouse/shared";

export interface LoadTarget {
  /** The Host of every request. */
  readonly host: string;
  /** Who takes requests now. */
  readonly endpoints: () => readonly { readonly ip: string; readonly port: number }[];
}

export interface LoadResult {
  readonly sent: number;
  readonly ok: number;
  /** Answers that are not 200, and errors, by what they were. */
  readonly failures: ReadonlyMap<string, number>;
  /** Tries that came to nobody or to a connection that was just closing, and went to another endpoint. */
  readonly retries: number;
  /** Of those that were answered. */
  readonly msMax: number;
  readonly msP99: number;
}

const RETRIES_MAX = 3;
const REQUEST_MS_MAX = 30_000;
/** Requests are sent in small groups: a timer for each would be a load of its own. */
const TICK_MS = 10;

/**
 * Sends so many GETs a second, whatever becomes of them, over kept connections, to endpoints at random: what an ingress
 * does. As one it tries another endpoint when nobody listens, or when a kept connection ends under an idempotent
 * request; whatever else goes wrong is a failure.
 */
export class Load {
  readonly #deps: { readonly clock: Clock; readonly random: Random };
  readonly #target: LoadTarget;
  readonly #agents = new Map<string, Agent>();
  readonly #pending = new Set<Promise<void>>();
  readonly #failures = new Map<string, number>();
  readonly #took: number[] = [];
  #timer: Disposable | undefined;
  #sent = 0;
  #retries = 0;

  constructor(deps: { readonly clock: Clock; readonly random: Random }, target: LoadTarget) {
    this.#deps = deps;
    this.#target = target;
  }

  start(perSecond: number): void {
    const { clock } = this.#deps;
    const begun = clock.now();
    const before = this.#sent;
    const tick = (): void => {
      const due = before + Math.floor(((clock.now() - begun) * perSecond) / 1_000);
      while (this.#sent < due) void this.one();
      this.#timer = clock.after(TICK_MS, tick);
    };
    tick();
  }

  /** One request more. */
  one(): Promise<void> {
    this.#sent++;
    const sending = this.#send().finally(() => this.#pending.delete(sending));
    this.#pending.add(sending);
    return sending;
  }

  get sent(): number {
    return this.#sent;
  }

  /** Sends no more; resolves when all are answered. */
  async stop(): Promise<LoadResult> {
    this.#timer?.[Symbol.dispose]();
    await Promise.all(this.#pending);
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
    const sorted = this.#took.toSorted((a, b) => a - b);
    const failed = [...this.#failures.values()].reduce((sum, count) => sum + count, 0);
    return {
      sent: this.#sent,
      ok: this.#sent - failed,
      failures: this.#failures,
      retries: this.#retries,
      msMax: sorted.at(-1) ?? 0,
      msP99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    };
  }

  async #send(): Promise<void> {
    const begun = this.#deps.clock.now();
    const tried = new Set<string>();
    let outcome = "no endpoint";
    for (let tries = 0; tries <= RETRIES_MAX; tries++) {
      const endpoints = this.#target.endpoints().filter(({ ip }) => !tried.has(ip));
      const endpoint = endpoints[this.#deps.random.integer(0, Math.max(0, endpoints.length - 1))];
      if (endpoint === undefined) continue;
      const answer = await this.#ask(endpoint);
      if (answer.kind === "status" && answer.status === 200) {
        this.#took.push(this.#deps.clock.now() - begun);
        return;
      }
      outcome = answer.kind === "status" ? `status ${answer.status}` : answer.text;
      if (answer.kind !== "unsent") break;
      tried.add(endpoint.ip);
      this.#retries++;
    }
    this.#failures.set(outcome, (this.#failures.get(outcome) ?? 0) + 1);
  }

  #ask({ ip, port }: { readonly ip: string; readonly port: number }): Promise<Asked> {
    const key = `${ip}:${port}`;
    const agent = this.#agents.get(key) ?? new Agent({ keepAlive: true, maxFreeSockets: 16 });
    this.#agents.set(key, agent);
    return new Promise((resolve) => {
      const call = request(
        { host: ip, port, path: "/", agent, headers: { Host: this.#target.host }, timeout: REQUEST_MS_MAX },
        (response) => {
          response.resume();
          response.on("end", () => resolve({ kind: "status", status: response.statusCode ?? 0 }));
          response.on("error", (error) => resolve({ kind: "failed", text: `cut: ${error.message}` }));
        },
      );
      call.on("timeout", () => call.destroy(new Error("timeout")));
      call.on("error", (error) => {
        const code = "code" in error ? String(error.code) : "";
        const isUnsent = code === "ECONNREFUSED" || (call.reusedSocket && code === "ECONNRESET");
        resolve({
          kind: isUnsent ? "unsent" : "failed",
          text: `${error.message}${call.reusedSocket ? ", kept" : ""}`,
        });
      });
      call.end();
    });
  }
}

type Asked =
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "failed" | "unsent"; readonly text: string };
