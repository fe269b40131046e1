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

/** The answer is five bytes; what goes on for longer is no queue-proxy's. A-147. */
const BODY_BYTES_MAX = 256;

export interface AskOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Asks one pod whether it is ready. Never rejects. */
export type AskPod = (pod: Endpoint, options: AskOptions) => Promise<boolean>;

/**
 * Whether a pod's queue-proxy says that its program is ready: 200 with the body `queue`, and nothing else. Always plain
 * HTTP/1.1. Never rejects. Source: A §4.2.
 */
export function askPod(pod: Endpoint, { clock, timeoutMs, signal }: AskOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const { ip, port } = endpointAddress(pod);
    const asked = request({
      host: ip,
      port,
      path: HEALTH_PATH,
      agent: false,
      headers: { "User-Agent": probeAgents.activator, [headers.networkProbe]: probeValues.queue },
    });
    const finish = (isReady: boolean): void => {
      timer[Symbol.dispose]();
      signal.removeEventListener("abort", abandon);
      asked.destroy();
      resolve(isReady);
    };
    const abandon = (): void => finish(false);
    const timer = clock.after(timeoutMs, abandon);
    asked.on("error", abandon);
    asked.once("response", (response) => {
      let body = "";
      response.setEncoding("latin1");
      response.on("data", (piece: string) => {
        body += piece;
        if (body.length > BODY_BYTES_MAX) abandon();
      });
      response.on("error", abandon);
      response.on("end", () => finish(response.statusCode === 200 && body === probeValues.queue));
    });
    signal.addEventListener("abort", abandon, { once: true });
    if (signal.aborted) abandon();
    else asked.end();
  });
}
