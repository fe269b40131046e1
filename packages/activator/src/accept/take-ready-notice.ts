import {
  type Endpoint,
  type Exchange,
  endpoint,
  endpointAddress,
  type Handler,
  type Layer,
  READY_AGENT,
  READY_PATH,
  type RevisionKey,
  revisionKey,
} from "@rouse/shared";

/** Told of each pod that says it is ready. */
export type PodReadyListener = (revision: RevisionKey, pod: Endpoint) => void;

/**
 * Takes what a queue-proxy says the moment its program is ready: `POST <READY_PATH>?namespace=&revision=&endpoint=`,
 * so that what is held goes out before the API says a word (design §5). Believed of the address it comes from alone;
 * anything else of that agent is 403. Whose pod that is, the listener has to know.
 */
export class TakeReadyNotice<C> implements Layer<C> {
  readonly #ready: PodReadyListener;

  constructor(ready: PodReadyListener) {
    this.#ready = ready;
  }

  handle(exchange: Exchange<C>, next: Handler<C>): void {
    const { request, client } = exchange;
    if (request.method !== "POST" || request.get("User-Agent") !== READY_AGENT) {
      next(exchange);
      return;
    }
    const [path = "", query = ""] = request.target.split("?", 2);
    const notice = new URLSearchParams(query);
    const [namespace, name] = [notice.get("namespace") ?? "", notice.get("revision") ?? ""];
    const pod = podOf(notice.get("endpoint") ?? "");
    if (path !== READY_PATH || pod === undefined || endpointAddress(pod).ip !== client.ip) {
      exchange.respond({ status: 403 });
      return;
    }
    this.#ready(revisionKey({ namespace, name }), pod);
    exchange.respond({ status: 200 });
  }
}

/** `ip:port`, the ip of version 6 in brackets. */
function podOf(text: string): Endpoint | undefined {
  const found = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(text);
  const ip = found?.[1] ?? found?.[2];
  const port = Number(found?.[3]);
  return ip === undefined || port < 1 || port > 65_535 ? undefined : endpoint({ ip, port });
}
