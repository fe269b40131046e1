import { type IncomingMessage, request } from "node:http";
import { type Clock, HEALTH_PATH, headers, probeAgents, probeValues } from "@rouse/shared";
import type { ActivatorProbe, ProbeTarget } from "./activator-probe.ts";

/** The reference waits for an answer without end; a probe that takes this long says no. K-74. */
const TIMEOUT_MS = 3_000;
/** The answer looked for is nine bytes. */
const BODY_BYTES_MAX = 64;

export interface HttpActivatorProbeDeps {
  readonly clock: Clock;
  /** Where a client of the Service's `port` would connect to now; `undefined` if it leads nowhere. */
  readonly resolve: (
    serviceName: string,
    namespace: string,
    port: number,
  ) => { readonly ip: string; readonly port: number } | undefined;
}

/**
 * One GET per question, on a connection of its own: a kept one could lead to the former endpoint for ever (K-73).
 * Confirmed is status 200 with the body `activator`, and nothing else (K-71, W-22).
 */
export class HttpActivatorProbe implements ActivatorProbe {
  readonly #deps: HttpActivatorProbeDeps;

  constructor(deps: HttpActivatorProbeDeps) {
    this.#deps = deps;
  }

  isInPath(target: ProbeTarget): Promise<boolean> {
    const address =
      target.serviceName === ""
        ? undefined
        : this.#deps.resolve(target.serviceName, target.namespace, target.port);
    if (address === undefined) return Promise.resolve(false);
    return new Promise((resolve) => {
      const call = request({
        host: address.ip,
        port: address.port,
        method: "GET",
        path: HEALTH_PATH,
        agent: false,
        headers: {
          Host: `${target.serviceName}.${target.namespace}`,
          "User-Agent": probeAgents.autoscaler,
          [headers.networkProbe]: probeValues.activator,
          Connection: "close",
        },
      });
      const deadline = this.#deps.clock.after(TIMEOUT_MS, () => finish(false));
      const finish = (isConfirmed: boolean): void => {
        deadline[Symbol.dispose]();
        call.destroy();
        resolve(isConfirmed);
      };
      call.on("error", () => finish(false));
      call.on("response", (response) => readAnswer(response, finish));
      call.end();
    });
  }
}

function readAnswer(response: IncomingMessage, finish: (isConfirmed: boolean) => void): void {
  let body = "";
  response.setEncoding("latin1");
  response.on("data", (chunk: string) => {
    body += chunk;
    if (body.length > BODY_BYTES_MAX) finish(false);
  });
  response.on("end", () => finish(response.statusCode === 200 && body === probeValues.activator));
  response.on("error", () => finish(false));
}
