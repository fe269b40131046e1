import {
  type Clock,
  type Logger,
  labels,
  type Pod,
  portNames,
  ports,
  QUEUE_PROXY_CONTAINER,
  type Stored,
} from "@rouse/shared";
import type { PodAddresses } from "./pod-addresses.ts";
import type { SidecarView } from "./pod-status.ts";
import type { PortPool } from "./port-pool.ts";
import type { Sidecar, SidecarFactory } from "./sidecar.ts";

/** Taken addresses in a row before the sidecar counts as failed. */
const ADDRESSES_MAX = 32;
/** Wait before a failed sidecar is tried again: 1 s doubling to 30 s. */
const RETRY_MS_FIRST = 1_000;
const RETRY_MS_MAX = 30_000;

export interface SidecarHolderDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly sidecars: SidecarFactory;
  readonly ports: Pick<PortPool, "take">;
  readonly addresses: PodAddresses;
}

export interface SidecarHolderOptions {
  /** The contract's port; used wherever pods have addresses of their own. */
  readonly port: number;
  readonly isNeeded: boolean;
  /** `view` has changed. */
  readonly changed: () => void;
  readonly portOpened: () => void;
}

/** Gets one pod its queue-proxy and keeps it over restarts of the process: finds an address, tries again, closes. */
export class SidecarHolder {
  readonly #deps: SidecarHolderDeps;
  readonly #pod: Stored<Pod>;
  readonly #options: SidecarHolderOptions;
  #ip: string;
  #view: SidecarView;
  #starting: Promise<Sidecar | undefined> | undefined;
  #current: Sidecar | undefined;
  #retry: { readonly timer: Disposable; readonly wake: () => void } | undefined;
  #isClosed = false;

  constructor(deps: SidecarHolderDeps, pod: Stored<Pod>, options: SidecarHolderOptions) {
    this.#deps = deps;
    this.#pod = pod;
    this.#options = options;
    this.#ip = deps.addresses.take();
    this.#view = { kind: options.isNeeded ? "starting" : "none" };
  }

  /** The pod's address; may still move to another one while the sidecar is starting. */
  get ip(): string {
    return this.#ip;
  }

  get view(): SidecarView {
    return this.#view;
  }

  get current(): Sidecar | undefined {
    return this.#current;
  }

  /** The one sidecar, once it listens; `undefined` if none is needed or the holder is closed first. */
  start(userPort: number): Promise<Sidecar | undefined> {
    this.#starting ??= this.#options.isNeeded
      ? this.#startUntilItListens(userPort)
      : Promise.resolve(undefined);
    return this.#starting;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retry?.timer[Symbol.dispose]();
    this.#retry?.wake();
    await this.#starting;
    await this.#current?.close();
    this.#deps.addresses.release(this.#ip);
  }

  async #startUntilItListens(userPort: number): Promise<Sidecar | undefined> {
    for (let retryMs = RETRY_MS_FIRST; !this.#isClosed; retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)) {
      try {
        const sidecar = await this.#startSomewhere(userPort);
        this.#current = sidecar;
        this.#show({ kind: "running", since: this.#deps.clock.wall() });
        return sidecar;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        this.#deps.log.warn("queue-proxy did not start", { pod: this.#pod.metadata.name, error: message });
        this.#show({ kind: "failed", message });
        await this.#pause(retryMs);
      }
    }
    return undefined;
  }

  async #startSomewhere(userPort: number): Promise<Sidecar> {
    const { addresses, sidecars } = this.#deps;
    for (let tries = 1; ; tries++) {
      const port = addresses.isPerPod ? this.#options.port : await this.#ownPort();
      const { portOpened } = this.#options;
      try {
        return await sidecars.start(this.#pod, { ip: this.#ip, port, userPort, portOpened });
      } catch (error) {
        if (!isAddressInUse(error) || tries === ADDRESSES_MAX || this.#isClosed) throw error;
        // Another home's, or anything's. Not released: it would only be tried again.
        this.#ip = addresses.take();
      }
    }
  }

  #ownPort(): Promise<number> {
    return new Promise((resolve) => this.#deps.ports.take(resolve));
  }

  #show(view: SidecarView): void {
    this.#view = view;
    if (!this.#isClosed) this.#options.changed();
  }

  #pause(ms: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#retry = { timer: this.#deps.clock.after(ms, resolve), wake: resolve };
    });
  }
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

/** The port queue-proxy is to listen on: what its container says (8013 for h2c), else 8012. Q §1. */
export function queuePort(pod: Stored<Pod>): number {
  const container = pod.spec.containers.find(({ name }) => name === QUEUE_PROXY_CONTAINER);
  return container?.ports?.find(({ name }) => name === portNames.queue)?.containerPort ?? ports.queueHttp;
}

/** Pods of revisions are served through a queue-proxy; any other pod is a process and nothing more. */
export function hasSidecar(pod: Stored<Pod>): boolean {
  return (
    pod.metadata.labels?.[labels.revision] !== undefined ||
    pod.spec.containers.some(({ name }) => name === QUEUE_PROXY_CONTAINER)
  );
}
