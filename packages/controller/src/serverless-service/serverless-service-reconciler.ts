import {
  type Deployment,
  done,
  type Endpoints,
  EndpointsKind,
  type KubeClient,
  type Lister,
  type ObjectKey,
  objectKey,
  type Pass,
  type Reconciler,
  type ServerlessService,
  ServerlessServiceKind,
  type Service,
  ServiceKind,
  type Stored,
  semanticEqual,
  writeStatus,
} from "@rouse/shared";
import { createChild, NotOwnedError, requireOwned, WaitingError } from "../pass/ownership.ts";
import { type StatusDraft, type StatusPassDeps, statusPass } from "../pass/status-pass.ts";
import { readyCount } from "./effective-mode.ts";
import {
  makePrivateService,
  makePublicEndpoints,
  makePublicService,
  privateServiceName,
} from "./owned-objects.ts";
import { isSameSubsets, publicSubsets, type Sources } from "./public-subsets.ts";

export interface ServerlessServiceDeps extends StatusPassDeps {
  readonly client: KubeClient;
  readonly serverlessServices: Lister<ServerlessService>;
  readonly deployments: Lister<Deployment>;
  readonly services: Lister<Service>;
  readonly endpoints: Lister<Endpoints>;
  /** The Endpoints of the activators. K-31. */
  readonly activators: ObjectKey;
}

type SksStatus = NonNullable<ServerlessService["status"]>;
type Draft = StatusDraft<SksStatus>;

const POPULATED = "EndpointsPopulated";
const ACTIVATORS_POPULATED = "ActivatorEndpointsPopulated";

/**
 * Materialises a ServerlessService: the private Service over the pods, the public Service a route names, and the
 * public Endpoints that lead to activators or to pods (K-41). Decides nothing about scale and probes nobody (K-6).
 */
export class ServerlessServiceReconciler implements Reconciler {
  readonly name = "serverlessservice-controller";
  readonly #deps: ServerlessServiceDeps;

  constructor(deps: ServerlessServiceDeps) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const sks = this.#deps.serverlessServices.get(key);
    if (sks === undefined || sks.metadata.deletionTimestamp !== undefined) return done; // K-14
    return await statusPass<SksStatus>(this.#deps, {
      component: this.name,
      object: sks,
      before: sks.status ?? {},
      dependents: [POPULATED],
      run: (draft) => this.#run(sks, draft),
      write: (status) => writeStatus(this.#deps.client, ServerlessServiceKind, sks, status),
    });
  }

  async #run(sks: Stored<ServerlessService>, draft: Draft): Promise<Pass> {
    try {
      await this.#bringPrivateService(sks, draft);
      await this.#bringPublicService(sks, draft);
      await this.#bringPublicEndpoints(sks, draft);
    } catch (error) {
      if (error instanceof NotOwnedError) {
        draft.conditions.set(POPULATED, { status: "False", reason: "NotOwned", message: error.message });
      }
      throw error;
    }
    return done;
  }

  async #bringPrivateService(sks: Stored<ServerlessService>, draft: Draft): Promise<void> {
    const { client, services } = this.#deps;
    const { namespace } = sks.metadata;
    const name = privateServiceName(sks.metadata.name);
    const wanted = makePrivateService(sks, this.#selector(sks));
    const present = services.get(objectKey({ namespace, name }));
    if (present === undefined) {
      pending(draft, "CreatingPrivateService");
      await createChild(client, ServiceKind, wanted, sks);
    } else {
      requireOwned(present, sks);
      if (!hasShape(present, wanted)) {
        pending(draft, "UpdatingPrivateService");
        await client.update(ServiceKind, withShape(present, wanted));
      }
    }
    draft.fields = { ...draft.fields, privateServiceName: name };
  }

  async #bringPublicService(sks: Stored<ServerlessService>, draft: Draft): Promise<void> {
    const { client, services } = this.#deps;
    const wanted = makePublicService(sks);
    const present = services.get(objectKey(sks.metadata));
    if (present === undefined) {
      pending(draft, "CreatingPublicService");
      await createChild(client, ServiceKind, wanted, sks);
    } else {
      requireOwned(present, sks);
      if (!hasShape(present, wanted)) await client.update(ServiceKind, withShape(present, wanted));
    }
    draft.fields = { ...draft.fields, serviceName: sks.metadata.name };
  }

  async #bringPublicEndpoints(sks: Stored<ServerlessService>, draft: Draft): Promise<void> {
    const { client, endpoints } = this.#deps;
    const sources = this.#sources(sks);
    const subsets = publicSubsets(sks, sources);
    const present = endpoints.get(objectKey(sks.metadata));
    if (present === undefined) {
      pending(draft, "CreatingPublicEndpoints");
      await createChild(client, EndpointsKind, makePublicEndpoints(sks, subsets), sks);
    } else {
      requireOwned(present, sks);
      if (!isSameSubsets(present.subsets ?? [], subsets)) {
        await client.update(EndpointsKind, { ...present, subsets });
      }
    }
    const hasPods = readyCount(sources.pods) > 0;
    if (hasPods) draft.conditions.set(POPULATED, { status: "True" });
    else pending(draft, "NoHealthyBackends", "No healthy backends");
    draft.conditions.set(ACTIVATORS_POPULATED, {
      status: !hasPods || sks.spec.mode === "Proxy" ? "True" : "False", // K-48: the wanted mode, not the effective one
      severity: "Info",
      reason: ACTIVATORS_POPULATED,
      message: "Revision is backed by Activator",
    });
  }

  /** @throws when either object is missing: then the public endpoints stay as they are. K-43. */
  #sources(sks: Stored<ServerlessService>): Sources {
    const { endpoints } = this.#deps;
    const activators = endpoints.get(this.#deps.activators);
    if (activators === undefined) throw new Error(`endpoints ${this.#deps.activators} not found`);
    const { namespace } = sks.metadata;
    const key = objectKey({ namespace, name: privateServiceName(sks.metadata.name) });
    const pods = endpoints.get(key);
    if (pods === undefined) throw new WaitingError(`endpoints ${key} not found`); // K-44: they follow the Service
    return { activators, pods };
  }

  /** K-21. */
  #selector(sks: Stored<ServerlessService>): Readonly<Record<string, string>> {
    const { objectRef } = sks.spec;
    const key = objectKey({ namespace: sks.metadata.namespace, name: objectRef.name });
    const scalable = objectRef.kind === "Deployment" ? this.#deps.deployments.get(key) : undefined;
    if (scalable === undefined) throw new WaitingError(`scalable ${objectRef.kind} ${key} not found`);
    return scalable.spec.selector.matchLabels ?? {};
  }
}

function pending(draft: Draft, reason: string, message?: string): void {
  draft.conditions.set(POPULATED, {
    status: "Unknown",
    reason,
    ...(message === undefined ? {} : { message }),
  });
}

/** Only ports and selector are ours to repair; the rest, like clusterIP, is the platform's. K-23, K-28. */
function hasShape(present: Stored<Service>, wanted: Service): boolean {
  return (
    semanticEqual(present.spec.ports, wanted.spec.ports) &&
    semanticEqual(present.spec.selector, wanted.spec.selector)
  );
}

function withShape(present: Stored<Service>, wanted: Service): Service {
  const { selector: _, ports: __, ...rest } = present.spec;
  const { selector, ports = [] } = wanted.spec;
  return { ...present, spec: { ...rest, ports, ...(selector === undefined ? {} : { selector }) } };
}
