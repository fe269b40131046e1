import {
  type Endpoint,
  endpoint,
  Informer,
  type InformerDeps,
  labels,
  type Service,
  ServiceKind,
  type Stored,
} from "@rouse/shared";
import type { RevisionTarget } from "../resolve/revision-target.ts";

/** The Services behind which the pods of revisions stand, by whose addresses a mesh leads to them. */
export class PrivateServices implements Disposable {
  readonly #services: Informer<Service>;

  constructor(deps: InformerDeps, changed: (service: Stored<Service>) => void) {
    this.#services = new Informer<Service>(deps, ServiceKind, {
      labelSelector: `${labels.serviceType}=Private,${labels.revision}`,
    })
      .indexBy(labels.revision)
      .handle({ changed, removed: changed });
  }

  start(): Promise<void> {
    return this.#services.start();
  }

  /** Read anew each time: a Service may come back with another address. */
  addressOf({ namespace, name, portName }: RevisionTarget): Endpoint | undefined {
    for (const { metadata, spec } of this.#services.byLabel(labels.revision, name)) {
      const port = spec.ports?.find((each) => each.name === portName)?.port;
      const { clusterIP = "" } = spec;
      if (metadata.namespace !== namespace || port === undefined) continue;
      if (clusterIP !== "" && clusterIP !== "None") return endpoint({ ip: clusterIP, port });
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#services[Symbol.dispose]();
  }
}
