import type { Clock, Random, Upstream } from "@rouse/shared";
import type { History } from "./history.ts";
import type { Scenario, SimService } from "./scenario.ts";
import { SimHead } from "./sim-head.ts";
import type { SimNetwork } from "./sim-network.ts";
import { ID_HEADER, WORK_HEADER } from "./sim-process.ts";
import { isServed, newRequest, type SimRequest } from "./sim-request.ts";

/** After the activators take the path again. */
const WORST_TIME_MS = 4_000;

export interface ClientsDeps {
  readonly scenario: Scenario;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: SimNetwork;
  readonly history: History;
  /** Each request is put there when it is sent, by its id. */
  readonly requests: Map<string, SimRequest>;
  readonly gateway: Upstream;
}

/** Who calls the services of a world: silence and bursts by turns, and at the worst time. */
export class Clients {
  readonly #deps: ClientsDeps;
  #until = Number.NEGATIVE_INFINITY;

  constructor(deps: ClientsDeps) {
    this.#deps = deps;
  }

  /** Calls from now on, for as long as the scenario says. */
  begin(): void {
    const { clock, scenario } = this.#deps;
    this.#until = clock.now() + scenario.trafficMs;
    for (const service of scenario.services) this.#turn(service);
  }

  /** Clients that come while the path is being changed, which is when requests get lost. */
  comeAtTheWorstTime(name: string): void {
    const { scenario, clock, random } = this.#deps;
    const service = scenario.services.find((each) => each.name === name);
    if (service === undefined || clock.now() >= this.#until) return;
    for (let left = random.integer(0, 2); left > 0; left--) {
      clock.after(random.integer(0, WORST_TIME_MS), () => this.#send(service));
    }
  }

  #turn(service: SimService): void {
    const { clock, random } = this.#deps;
    if (clock.now() >= this.#until) return;
    const count = random.chance(0.3) ? random.integer(5, 20) : random.integer(1, 4);
    const spreadMs = random.integer(0, 3_000);
    for (let sent = 0; sent < count; sent++) {
      clock.after(random.integer(0, spreadMs), () => this.#send(service));
    }
    const pauseMs = random.chance(0.35) ? random.integer(8_000, 25_000) : random.integer(50, 3_000);
    clock.after(pauseMs, () => this.#turn(service));
  }

  #send({ name }: SimService): void {
    const { clock, random, network, requests, history, gateway } = this.#deps;
    const id = String(requests.size + 1);
    const workMs = random.chance(0.1) ? random.integer(2_000, 9_000) : random.integer(1, 400);
    const request = newRequest(id, name, clock.now());
    requests.set(id, request);
    history.tell(`request ${id} of ${name} is sent, ${workMs} ms of work`);
    const ended = (): void => {
      request.endings++;
      request.endedAt = clock.now();
      const how = isServed(request) ? "is served" : `ends with ${request.status} ${request.text.trim()}`;
      history.tell(`request ${id} of ${name} ${how}`);
    };
    const fields = new Map([
      ["host", `${name}.default.localhost`],
      [ID_HEADER, id],
      [WORK_HEADER, String(workMs)],
    ]);
    const call = network.call(gateway, new SimHead(fields), {
      refused: () => {
        history.violate(`request ${id}: the gateway does not listen`);
        ended();
      },
      answered: (status, text) => {
        if (request.status !== 0) history.violate(`request ${id} was answered twice`);
        request.status = status;
        request.text = text;
      },
      finished: ended,
      cut: () => {
        request.wasCut = true;
        ended();
      },
    });
    if (!random.chance(0.04)) return;
    clock.after(random.integer(1, 3_000), () => {
      if (request.endings > 0) return;
      history.tell(`the client of request ${id} leaves`);
      request.hasLeft = true;
      request.endings++;
      request.endedAt = clock.now();
      call.drop();
    });
  }
}
