import { type Random, SeededRandom } from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { Clients } from "./clients.ts";
import { History } from "./history.ts";
import type { Excuse } from "./judge.ts";
import type { Scenario } from "./scenario.ts";
import { settled } from "./settled.ts";
import { SimMachine } from "./sim-machine.ts";
import { SimNetwork } from "./sim-network.ts";
import { GATEWAY, SimPlatform } from "./sim-platform.ts";
import { type Fate, ID_HEADER } from "./sim-process.ts";
import { Witness } from "./witness.ts";

/** A program that fails to start several times is tried again after minutes. */
const READY_SECONDS_MAX = 900;

export interface Report {
  readonly requests: number;
  readonly statuses: ReadonlyMap<number, number>;
  readonly podsStarted: number;
  readonly zeros: number;
  readonly violations: readonly string[];
  /** How many requests were not served for which reason. */
  readonly excuses: ReadonlyMap<Excuse, number>;
  /** What happened, in order. */
  readonly history: readonly string[];
}

/** The whole platform in virtual time: everything real but sockets, processes and the machine. */
export class PlatformWorld {
  readonly #scenario: Scenario;
  readonly #clock = new VirtualClock();
  readonly #random: Random;
  readonly #network: SimNetwork;
  readonly #machine: SimMachine;
  readonly #history = new History(this.#clock);
  readonly #witness: Witness;
  readonly #clients: Clients;
  readonly #running = new AsyncDisposableStack();
  #started: SimPlatform | undefined;
  #podsStarted = 0;
  #excuses: ReadonlyMap<Excuse, number> = new Map();

  private constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = new SeededRandom(scenario.seed);
    this.#network = new SimNetwork({ clock: this.#clock, random: this.#random });
    this.#machine = new SimMachine({
      clock: this.#clock,
      random: this.#random,
      network: this.#network,
      draw: () => {
        this.#podsStarted++;
        return { startMs: this.#random.integer(...scenario.startMs), fate: this.#fate() };
      },
      begun: (id) => {
        const request = this.#witness.requests.get(id);
        if (request !== undefined) request.begunAt = this.#clock.now();
      },
      loadChanged: () => this.#witness.loadChanged(),
      harmed: (id, harm) => {
        const request = this.#witness.requests.get(id);
        if (request !== undefined) request.harm = harm;
      },
      harmedAt: (ip, harm) => {
        for (const request of this.#witness.requests.values()) {
          if (request.takenBy === ip && request.endings === 0) request.harm = harm;
        }
      },
      told: (text) => this.#history.tell(text),
    });
    this.#witness = this.#running.use(
      new Witness({
        scenario,
        clock: this.#clock,
        machine: this.#machine,
        network: this.#network,
        history: this.#history,
        pathChanging: (service) => this.#clients.comeAtTheWorstTime(service),
      }),
    );
    this.#clients = new Clients({
      scenario,
      clock: this.#clock,
      random: this.#random,
      network: this.#network,
      history: this.#history,
      requests: this.#witness.requests,
      gateway: GATEWAY,
    });
    this.#network.onTaken = ({ ip }, head) => this.#taken(ip, head.get(ID_HEADER) ?? "");
    this.#machine.scrapeFails = () =>
      this.#started?.isCalm !== true && this.#random.chance(scenario.scrapeFailures);
  }

  /** Plays one scenario to its end. Never throws for what the platform does: that is in the report. */
  static async run(scenario: Scenario): Promise<Report> {
    const world = new PlatformWorld(scenario);
    try {
      await world.#play();
    } catch (error) {
      world.#history.violate(
        `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
    const statuses = new Map<number, number>();
    for (const { status } of world.#witness.requests.values())
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    return {
      requests: world.#witness.requests.size,
      statuses,
      podsStarted: world.#podsStarted,
      zeros: world.#witness.zeros,
      excuses: world.#excuses,
      violations: world.#history.violations,
      history: world.#history.lines,
    };
  }

  async #play(): Promise<void> {
    const { trafficMs } = this.#scenario;
    const platform = await settled(this.#clock, this.#start());
    const seconds = await platform.apply(READY_SECONDS_MAX);
    this.#history.tell(`every service is ready after ${seconds} s`);
    // The gateway may hear of it this much later.
    await this.#clock.advanceAsync(this.#scenario.networkLagMs + 100);
    this.#witness.begin();
    this.#clients.begin();
    if (this.#scenario.stalls > 0) this.#stalls(platform);
    if (this.#scenario.activators > 1) this.#activatorsComeAndGo(platform);
    await this.#clock.advanceAsync(trafficMs);
    platform.isCalm = true;
    await platform.listActivators([...platform.activatorIps]);
    await this.#clock.advanceAsync(60_000);
    this.#excuses = this.#witness.conclude();
    await settled(this.#clock, this.#running.disposeAsync());
  }

  async #start(): Promise<SimPlatform> {
    const [clock, random, network, machine] = [this.#clock, this.#random, this.#network, this.#machine];
    const deps = { scenario: this.#scenario, clock, random, network, machine };
    const platform = this.#running.use(await SimPlatform.create(deps));
    this.#started = platform;
    await this.#witness.follow(platform.client);
    await platform.start();
    return platform;
  }

  /** Somebody has the request now. */
  #taken(ip: string, id: string): void {
    const request = this.#witness.requests.get(id);
    if (request === undefined || ip === GATEWAY.ip) return;
    const now = this.#clock.now();
    if (this.#started?.activatorIps.has(ip) === true) {
      request.heldAt = Math.min(request.heldAt, now);
      return;
    }
    request.firstTakenAt = Math.min(request.firstTakenAt, now);
    request.takenAt = now;
    request.takenBy = ip;
  }

  #stalls(platform: SimPlatform): void {
    if (platform.isCalm) return;
    this.#clock.after(this.#random.integer(2_000, 20_000), () => {
      if (this.#random.chance(this.#scenario.stalls)) platform.stallOne(this.#random.integer(100, 2_500));
      this.#stalls(platform);
    });
  }

  /** Some leave the list and keep what they have, as in a rolling update; others come back. K-85, W-14. */
  #activatorsComeAndGo(platform: SimPlatform): void {
    this.#clock.after(this.#random.integer(3_000, 15_000), () => {
      if (platform.isCalm) return;
      const stay = [...platform.activatorIps].filter(() => this.#random.chance(0.6));
      const listed = stay.length > 0 ? stay : [...platform.activatorIps];
      this.#history.tell(`activators are ${listed.join(" ")}`);
      void platform.listActivators(listed);
      this.#activatorsComeAndGo(platform);
    });
  }

  #fate(): Fate {
    const { failsToStart, crashes, hangs } = this.#scenario.fates;
    if (this.#started?.isCalm === true) return { kind: "serves" };
    if (this.#random.chance(failsToStart)) return { kind: "fails-to-start" };
    if (this.#random.chance(crashes)) return { kind: "crashes", afterMs: this.#random.integer(0, 20_000) };
    if (this.#random.chance(hangs)) return { kind: "hangs", afterMs: this.#random.integer(0, 20_000) };
    return { kind: "serves" };
  }
}
