import { type ChildProcess, fork } from "node:child_process";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ACTIVATOR_ALLOCATOR } from "@rouse/shared/testing";
import type { HostAnswer, HostOrder, PodNews } from "./messages.ts";

type OrderBody = HostOrder extends infer Order ? (Order extends unknown ? Omit<Order, "id"> : never) : never;

export interface Pod {
  readonly process: ChildProcess;
  readonly port: number;
  served: number;
  peak: number;
}

/** An activator in a process of its own, and pods in theirs. Everything ends with it. */
export class World implements Disposable {
  readonly #host: ChildProcess;
  readonly #waiting = new Map<number, (answer: HostAnswer) => void>();
  readonly pods: Pod[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  #orders = 0;
  #port = 0;

  private constructor(host: ChildProcess) {
    this.#host = host;
    host.on("message", (answer: HostAnswer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  static async start(): Promise<World> {
    const host = fork(new URL("host.ts", import.meta.url), [], {
      execArgv: ["--expose-gc"],
      env: { ...process.env, ...ACTIVATOR_ALLOCATOR },
    });
    const world = new World(host);
    world.#port = (await world.tell({ kind: "look" })).port;
    return world;
  }

  tell(order: OrderBody): Promise<HostAnswer> {
    const id = ++this.#orders;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#host.send({ ...order, id });
    });
  }

  /** Starts one. It listens when this resolves; nobody has been told. */
  startPod(options: { readonly workMs: number; readonly journal?: string }): Promise<Pod> {
    const { workMs, journal = "" } = options;
    const child = fork(new URL("pod.ts", import.meta.url), [], {
      env: { ...process.env, WORK_MS: String(workMs), JOURNAL: journal },
    });
    return new Promise((resolve) => {
      let pod: Pod | undefined;
      child.on("message", (news: PodNews) => {
        if (news.kind === "listening") {
          pod = { process: child, port: news.port, served: 0, peak: 0 };
          this.pods.push(pod);
          resolve(pod);
        } else if (pod !== undefined) Object.assign(pod, { served: news.served, peak: news.peak });
      });
    });
  }

  /** Tells the activator which pods there are. */
  list(name: string): Promise<HostAnswer> {
    return this.tell({ kind: "pods", name, ports: this.pods.map(({ port }) => port) });
  }

  /** Sends one request; resolves with its status, 0 for none. */
  call(
    name: string,
    {
      path = "/",
      method = "GET",
      body = "",
      leaveMs = 0,
    }: Partial<Record<"path" | "method" | "body", string>> & { leaveMs?: number } = {},
  ): Promise<number> {
    return new Promise((resolve) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port: this.#port,
          path,
          method,
          agent: leaveMs > 0 ? false : this.#agent,
          headers: {
            "Knative-Serving-Revision": name,
            "Knative-Serving-Namespace": "default",
            ...(body === "" ? {} : { "Content-Length": Buffer.byteLength(body) }),
          },
        },
        (response) => {
          response.resume();
          response.on("end", () => resolve(response.statusCode ?? 0));
          response.on("error", () => resolve(0));
        },
      );
      sent.on("error", () => resolve(0));
      if (leaveMs > 0) setTimeout(() => sent.destroy(), leaveMs);
      sent.end(body);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
    this.#host.kill("SIGKILL");
    for (const pod of this.pods) pod.process.kill("SIGKILL");
  }
}

/** Calls `send` at an even pace, however long answers take. Resolves when all have been answered. */
export async function atPace(
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
  send: (index: number) => Promise<void>,
): Promise<void> {
  const startedAt = performance.now();
  const all: Promise<void>[] = [];
  for (let index = 0; index < perSecond * seconds; ) {
    const due = Math.min(perSecond * seconds, ((performance.now() - startedAt) / 1_000) * perSecond);
    for (; index < due; index++) all.push(send(index));
    await sleep(2);
  }
  await Promise.all(all);
}
