import {
  type Exchange,
  type Handler,
  headers,
  type Layer,
  ProxyError,
  probeAgents,
  probeValues,
} from "@rouse/shared";

/** Whether this activator may be sent traffic; if not, why. */
export interface ActivatorHealth {
  readonly unhealthyBecause: string | undefined;
}

const PLAIN_TEXT = "text/plain; charset=utf-8";
const NO_HASH = `a probe request must contain a non-empty "${headers.networkHash}" header`;

/**
 * Answers questions about the activator itself, whatever their path, method and host (A-25..A-30):
 *
 * | question | answer |
 * |---|---|
 * | kubelet's agent, or `K-Kubelet-Probe` | 200, or 500 with the reason |
 * | `K-Network-Probe: probe` with a hash | 200, hash echoed; without one 400 |
 * | `K-Network-Probe: activator` | 200 `activator`, also while draining |
 * | `K-Network-Probe`: anything else | 400 |
 */
export class AnswerProbes<C> implements Layer<C> {
  readonly #health: ActivatorHealth;

  constructor(health: ActivatorHealth) {
    this.#health = health;
  }

  handle(exchange: Exchange<C>, next: Handler<C>): void {
    const { request } = exchange;
    const agent = request.get("User-Agent") ?? "";
    if (agent.startsWith(probeAgents.kubelet) || (request.get(headers.kubeletProbe) ?? "") !== "") {
      this.#answerKubelet(exchange);
      return;
    }
    const value = request.get(headers.networkProbe) ?? "";
    if (value === "") next(exchange);
    else if (value === probeValues.network) answerNetwork(exchange);
    else answerComponent(exchange, value);
  }

  #answerKubelet(exchange: Exchange<C>): void {
    const because = this.#health.unhealthyBecause;
    if (because === undefined) exchange.respond({ status: 200 });
    else exchange.respond({ status: 500, headers: { "Content-Type": PLAIN_TEXT }, body: `${because}\n` });
  }
}

function answerNetwork(exchange: Exchange): void {
  const hash = exchange.request.get(headers.networkHash) ?? "";
  if (hash === "") exchange.fail(new ProxyError("unexpected-probe", NO_HASH));
  else exchange.respond({ status: 200, headers: { [headers.networkHash]: hash } });
}

function answerComponent(exchange: Exchange, value: string): void {
  if (value === probeValues.activator) {
    exchange.respond({ status: 200, headers: { "Content-Type": PLAIN_TEXT }, body: probeValues.activator });
    return;
  }
  const shown = JSON.stringify(escapeHtml(value));
  exchange.fail(new ProxyError("unexpected-probe", `unexpected probe header value: ${shown}`));
}

function escapeHtml(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&#34;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);
}
