import { request } from "node:http";
import {
  type Clock,
  type Endpoint,
  endpointAddress,
  HEALTH_PATH,
  headers,
  probeAgents,
  probeValues,
} from "@rouse/shared";
import type { PodAnswer } from "./pod-reach.ts";

/** The answer is five bytes; what goes on for longer is no queue-proxy's. A-147. */
const BODY_BYTES_MAX = 256;

export interface AskOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The Service pods are named by where a mesh lets nobody pass otherwise, as `name.namespace`. A-22 */
  readonly through?: string;
}

/** Asks one pod whether it is ready. Never rejects. */
export type AskPod = (pod: Endpoint, options: AskOptions) => Promise<PodAnswer>;

/**
 * Asks a pod's queue-proxy whether its program is ready. Always plain HTTP/1.1. Never rejects. Source: A §4.2.
 */
export function askPod(pod: Endpoint, { clock, timeoutMs, signal, through }: AskOptions): Promise<PodAnswer> {
  return new Promise((resolve) => {
    const { ip, port } = endpointAddress(pod);
    const asked = request({
      host: ip,
      port,
      path: HEALTH_PATH,
      agent: false,
      headers: {
        "User-Agent": probeAgents.activator,
        [headers.networkProbe]: probeValues.queue,
        ...(through === undefined ? {} : { Host: through, [headers.passthroughLb]: "true" }),
      },
    });
    const finish = (answer: PodAnswer): void => {
      timer[Symbol.dispose]();
      signal.removeEventListener("abort", abandon);
      asked.destroy();
      resolve(answer);
    };
    const abandon = (): void => finish("unreachable");
    const timer = clock.after(timeoutMs, abandon);
    asked.on("error", abandon);
    asked.once("response", (response) => {
      let body = "";
      response.setEncoding("latin1");
      response.on("data", (piece: string) => {
        body += piece;
        if (body.length > BODY_BYTES_MAX) finish("unready");
      });
      response.on("error", abandon);
      response.on("end", () => finish(answerOf(response.statusCode ?? 0, body)));
    });
    signal.addEventListener("abort", abandon, { once: true });
    if (signal.aborted) abandon();
    else asked.end();
  });
}

function answerOf(status: number, body: string): PodAnswer {
  if (status === 200 && body === probeValues.queue) return "ready";
  return status === 502 || status === 503 ? "unreachable" : "unready";
}
