import {
  type Endpoints,
  EndpointsKind,
  type EventRecorder,
  type Ingress,
  isControlledBy,
  isKubeError,
  type Kind,
  type KubeClient,
  type KubeObject,
  type Lister,
  labels,
  objectKey,
  type Route,
  type Service,
  ServiceKind,
  type Stored,
  semanticEqual,
} from "@rouse/shared";
import { createChild, requireOwned } from "../pass/ownership.ts";
import { hostName, hostOf, routeVisibility } from "./hosts.ts";
import type { Routing } from "./ingress.ts";
import {
  canBecome,
  makePlaceholder,
  type PlaceholderShape,
  placeholderEndpoints,
  placeholderShape,
} from "./placeholder.ts";

/** Source of the events: it is the Route's controller that makes them. */
const COMPONENT = "route-controller";

export interface PlaceholdersDeps {
  readonly client: KubeClient;
  readonly events: EventRecorder;
  /** Indexed by the route label. */
  readonly services: Lister<Service>;
  readonly endpoints: Lister<Endpoints>;
}

/**
 * The Services that hold the names of a Route and of its tags, carry a user's wish for a name's visibility, and lead
 * callers within a cluster to the ingress. C-79…C-82
 */
export class Placeholders {
  readonly #deps: PlaceholdersDeps;

  constructor(deps: PlaceholdersDeps) {
    this.#deps = deps;
  }

  /** Makes those that are missing and deletes those of tags that are gone. C-79, C-81 @throws NotOwnedError */
  async bring(route: Stored<Route>, { groups, naming }: Routing): Promise<void> {
    const { client, events, services } = this.#deps;
    const { namespace } = route.metadata;
    const visibility = routeVisibility(route, naming);
    const wanted = new Set<string>();
    for (const tag of [...groups.keys()].sort()) {
      const name = hostName(route, tag, naming);
      wanted.add(name);
      const present = services.get(objectKey({ namespace, name }));
      if (present !== undefined) {
        requireOwned(present, route);
        continue;
      }
      const externalName = hostOf(route, tag, visibility, naming);
      const placeholder = makePlaceholder(route, { name, externalName });
      const { isNew } = await createChild(client, ServiceKind, placeholder, route);
      const message = `Created placeholder Service ${JSON.stringify(name)}`;
      if (isNew) events.record(COMPONENT, route, { type: "Normal", reason: "Created", message });
    }
    for (const service of this.#of(route)) {
      if (wanted.has(service.metadata.name)) continue;
      await this.#remove(ServiceKind, service);
      await this.#removeEndpoints(route, service.metadata.name);
    }
  }

  /** Leads each where the Ingress says it is reached. C-80 @throws NotOwnedError */
  async shape(route: Stored<Route>, ingress: Stored<Ingress>): Promise<void> {
    for (const service of this.#of(route)) {
      const shape = placeholderShape(ingress.status, service);
      if (shape === undefined) continue;
      await this.#bringService(service, shape);
      await this.#bringEndpoints(route, service, shape);
    }
  }

  #of(route: Stored<Route>): readonly Stored<Service>[] {
    return this.#deps.services
      .byLabel(labels.route, route.metadata.name)
      .filter(
        (service) =>
          service.metadata.namespace === route.metadata.namespace && isControlledBy(service, route),
      );
  }

  async #bringService(present: Stored<Service>, { spec }: PlaceholderShape): Promise<void> {
    const { client } = this.#deps;
    const { clusterIP } = present.spec;
    const isAllocated = spec.type === "ClusterIP" && spec.clusterIP === undefined;
    const isKept = isAllocated && clusterIP !== undefined && clusterIP !== "None";
    const wanted = isKept ? { ...spec, clusterIP } : spec;
    if (leads(present.spec, wanted)) return;
    if (canBecome(present.spec, spec)) {
      await client.update(ServiceKind, { ...present, spec: wanted });
      return;
    }
    await this.#remove(ServiceKind, present);
    const { name, namespace, labels: own, annotations, ownerReferences } = present.metadata;
    const metadata = {
      name,
      namespace,
      ...(own === undefined ? {} : { labels: own }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
    };
    await client.create(ServiceKind, { apiVersion: "v1", kind: "Service", metadata, spec: wanted });
  }

  async #bringEndpoints(
    route: Stored<Route>,
    service: Stored<Service>,
    { endpointIp }: PlaceholderShape,
  ): Promise<void> {
    const { client, endpoints } = this.#deps;
    if (endpointIp === undefined) {
      await this.#removeEndpoints(route, service.metadata.name);
      return;
    }
    const wanted = placeholderEndpoints(route, service, endpointIp);
    const present = endpoints.get(objectKey(service.metadata));
    if (present === undefined) {
      await createChild(client, EndpointsKind, wanted, route);
      return;
    }
    requireOwned({ ...present, apiVersion: "v1", kind: "Endpoints" }, route);
    if (semanticEqual(present.subsets, wanted.subsets)) return;
    await client.update(EndpointsKind, { ...present, subsets: wanted.subsets ?? [] });
  }

  async #removeEndpoints(route: Stored<Route>, name: string): Promise<void> {
    const present = this.#deps.endpoints.get(objectKey({ namespace: route.metadata.namespace, name }));
    if (present !== undefined && isControlledBy(present, route)) await this.#remove(EndpointsKind, present);
  }

  async #remove<T extends KubeObject>(kind: Kind<T>, { metadata }: Stored<T>): Promise<void> {
    const { namespace, name, uid } = metadata;
    try {
      await this.#deps.client.delete(kind, { namespace, name }, { uid });
    } catch (error) {
      if (!isKubeError(error, "NotFound")) throw error;
    }
  }
}

/** Whether a Service leads where the wanted one would; what the API has filled in beside that does not count. */
function leads(present: Service["spec"], wanted: Service["spec"]): boolean {
  return Object.entries(wanted).every(([key, value]) => semanticEqual(Reflect.get(present, key), value));
}
