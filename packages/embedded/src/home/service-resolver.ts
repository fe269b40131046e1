import {
  type Endpoints,
  EndpointsKind,
  Informer,
  type InformerDeps,
  objectKey,
  portNames,
  type Random,
} from "@rouse/shared";

/**
 * Where a client of a Service would connect to now: what cluster DNS and the ClusterIP data plane are in a cluster.
 */
export class ServiceResolver implements Disposable {
  readonly #random: Random;
  readonly #endpoints: Informer<Endpoints>;

  constructor(deps: InformerDeps) {
    this.#random = deps.random;
    this.#endpoints = new Informer<Endpoints>(deps, EndpointsKind);
  }

  start(): Promise<void> {
    return this.#endpoints.start();
  }

  /** One of the ready addresses by chance; `undefined` while there is none. */
  resolve(name: string, namespace: string): { readonly ip: string; readonly port: number } | undefined {
    const subsets = this.#endpoints.get(objectKey({ namespace, name }))?.subsets ?? [];
    const ready = subsets.flatMap(({ addresses = [], ports = [] }) => {
      const port = ports.find((each) => each.name === portNames.http || each.name === portNames.h2c);
      return port === undefined ? [] : addresses.map(({ ip }) => ({ ip, port: port.port }));
    });
    return ready.length === 0 ? undefined : ready[this.#random.integer(0, ready.length - 1)];
  }

  [Symbol.dispose](): void {
    this.#endpoints[Symbol.dispose]();
  }
}
