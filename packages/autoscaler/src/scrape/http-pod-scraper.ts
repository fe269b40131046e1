import { Agent, type IncomingMessage, request } from "node:http";
import { type Clock, decodeStat, headers, ports, STAT_CONTENT_TYPE, type Stat } from "@rouse/shared";
import type { PodScraper, ScrapedPod, ScrapeTarget } from "./pod-scraper.ts";
import { ScrapeFailure } from "./scrape-failure.ts";

/** Asking and answering. S-43. */
const TIMEOUT_MS = 3_000;
/** No stat is longer. S-43. */
const BODY_BYTES_MAX = 336;
/** Connections to pods kept open between scrapes. S-44. */
const IDLE_MAX = 1_000;
/** The reference's own name for what other components call `K-Passthrough-Lb`; both are sent. S-52. */
const DIRECT_LB = "Knative-Direct-Lb";

export interface HttpPodScraperOptions {
  /** Where queue-proxies answer. Default 9090: K-17. */
  readonly port?: number;
  /** Whether pods are addressed through a mesh that knows them by their Service's name. S-52. */
  readonly isPassthrough?: boolean;
  /** Host of a Service. Default: its name in the cluster's DNS. */
  readonly hostOf?: (target: ScrapeTarget) => string;
}

/** Asks for load over HTTP: pods on kept connections, Services on a fresh one each time. S-43, S-44, S-52. */
export class HttpPodScraper implements PodScraper, Disposable {
  readonly #clock: Clock;
  readonly #port: number;
  readonly #isPassthrough: boolean;
  readonly #hostOf: (target: ScrapeTarget) => string;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE_MAX });

  constructor(deps: { readonly clock: Clock }, options: HttpPodScraperOptions = {}) {
    this.#clock = deps.clock;
    this.#port = options.port ?? ports.autoscalerMetrics;
    this.#isPassthrough = options.isPassthrough ?? false;
    this.#hostOf = options.hostOf ?? serviceHost;
  }

  /** @throws ScrapeFailure */
  scrape(pod: ScrapedPod, target: ScrapeTarget): Promise<Stat> {
    const passthrough = this.#isPassthrough
      ? { Host: serviceHost(target), [DIRECT_LB]: "true", [headers.passthroughLb]: "true" }
      : {};
    return this.#get(pod.ip, this.#agent, passthrough);
  }

  /** @throws ScrapeFailure */
  scrapeAny(target: ScrapeTarget): Promise<Stat> {
    return this.#get(this.#hostOf(target), false, { Connection: "close" });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #get(host: string, agent: Agent | false, extra: Readonly<Record<string, string>>): Promise<Stat> {
    return new Promise((resolve, reject) => {
      const call = request({
        host, // without brackets, also IPv6: Node writes them where they belong
        port: this.#port,
        path: "/metrics",
        agent,
        headers: { Accept: STAT_CONTENT_TYPE, ...extra },
      });
      const settle = (): void => {
        deadline[Symbol.dispose]();
        if (agent === false) call.destroy();
      };
      const fail = (failure: ScrapeFailure): void => {
        settle();
        call.destroy();
        reject(failure);
      };
      const deadline = this.#clock.after(TIMEOUT_MS, () =>
        fail(new ScrapeFailure("other", `no answer within ${TIMEOUT_MS} ms`)),
      );
      call.on("error", (error) => fail(new ScrapeFailure("other", error.message, { cause: error })));
      call.on("response", (response) => {
        readStat(response).then(
          (stat) => {
            settle();
            resolve(stat);
          },
          (error: unknown) =>
            fail(error instanceof ScrapeFailure ? error : new ScrapeFailure("other", String(error))),
        );
      });
      call.end();
    });
  }
}

function serviceHost({ namespace, serviceName }: ScrapeTarget): string {
  return `${serviceName}.${namespace}`;
}

/** Success is a 2xx with exactly the right type and a stat for a body. S-43. */
async function readStat(response: IncomingMessage): Promise<Stat> {
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 299) {
    response.resume();
    throw new ScrapeFailure(status === 502 || status === 503 ? "mesh" : "other", `status ${status}`);
  }
  const type = response.headers["content-type"];
  if (type !== STAT_CONTENT_TYPE) throw new ScrapeFailure("other", `content type ${type ?? "missing"}`);
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response) {
    if (!Buffer.isBuffer(part)) continue;
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) throw new ScrapeFailure("other", "too long for a stat");
    parts.push(part);
  }
  const stat = decodeStat(Buffer.concat(parts));
  if (stat === undefined) throw new ScrapeFailure("other", "not a stat");
  return stat;
}
