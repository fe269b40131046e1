import {
  type Exchange,
  type Handler,
  headers,
  type Layer,
  ProxyError,
  probeAgents,
  probeValues,
} from "@rouse/shared";

/** Whether the program beside us can take requests. Never rejects. */
export interface ReadinessCheck {
  check(): Promise<boolean>;
}

/** Whether we are on the way out. */
export interface DrainState {
  readonly isDraining: boolean;
}

const PLAIN_TEXT = "text/plain; charset=utf-8";
const NO_HASH = `a probe request must contain a non-empty "${headers.networkHash}" header`;

/**
 * Answers readiness questions, whatever their path and method, before anything counts them; all else goes on (Q-17..
 * Q-19, §3.2):
 *
 * | question | ready | not ready | draining |
 * |---|---|---|---|
 * | kubelet's, an activator's or the autoscaler's agent, `K-Network-Probe: queue` | 200 `queue` | 503 | 503 `shutting down` |
 * | the same, any other value | 400 | 400 | 503 `shutting down` |
 * | `K-Network-Probe: probe` with a hash | 200, hash echoed | the same | 503 `shutting down` |
 */
export class AnswerProbes<C> implements Layer<C> {
  readonly #readiness: ReadinessCheck;
  readonly #drain: DrainState;

  constructor(readiness: ReadinessCheck, drain: DrainState) {
    this.#readiness = readiness;
    this.#drain = drain;
  }

  handle(exchange: Exchange<C>, next: Handler<C>): void {
    const agent = exchange.request.get("User-Agent");
    if (agent !== undefined && isProbeAgent(agent)) {
      this.#answerHealth(exchange);
      return;
    }
    if (exchange.request.get(headers.networkProbe) === probeValues.network) {
      this.#answerNetwork(exchange);
      return;
    }
    next(exchange);
  }

  #answerHealth(exchange: Exchange<C>): void {
    if (this.#drain.isDraining) {
      exchange.fail(new ProxyError("draining", "shutting down"));
      return;
    }
    const value = exchange.request.get(headers.networkProbe) ?? "";
    if (value !== probeValues.queue) {
      exchange.fail(new ProxyError("unexpected-probe", `unexpected probe header value: ${value}`));
      return;
    }
    void this.#readiness.check().then((isReady) => {
      if (exchange.state === "ended") return; // the asker left; the run was worth finishing for the next one
      if (isReady) {
        exchange.respond({ status: 200, headers: { "Content-Type": PLAIN_TEXT }, body: probeValues.queue });
      } else exchange.respond({ status: 503 });
    });
  }

  #answerNetwork(exchange: Exchange<C>): void {
    if (this.#drain.isDraining) {
      exchange.fail(new ProxyError("draining", "shutting down"));
      return;
    }
    const hash = exchange.request.get(headers.networkHash) ?? "";
    if (hash === "") exchange.fail(new ProxyError("unexpected-probe", NO_HASH));
    else exchange.respond({ status: 200, headers: { [headers.networkHash]: hash } });
  }
}

function isProbeAgent(agent: string): boolean {
  return (
    agent.startsWith(probeAgents.kubelet) ||
    agent.startsWith(probeAgents.activator) ||
    agent.startsWith(probeAgents.autoscaler)
  );
}
