import {
  type Configuration,
  done,
  type Ingress,
  IngressKind,
  isControlledBy,
  isKubeError,
  type KubeClient,
  type Lister,
  labels,
  type ObjectKey,
  objectKey,
  type Pass,
  type Reconciler,
  type Revision,
  type Route,
  RouteKind,
  type Service,
  ServiceKind,
  type Stored,
  semanticEqual,
  type TrafficTarget,
  writeStatus,
} from "@rouse/shared";
import { createChild, NotOwnedError, requireOwned } from "../pass/ownership.ts";
import { changeOf, isObserved, readyCondition } from "../pass/readiness.ts";
import { isExpected, type StatusDraft, type StatusPassDeps, statusPass } from "../pass/status-pass.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import { HostError, hostName, hostOf, type Naming, routeVisibility, type Visibility } from "./hosts.ts";
import { ingressName, makeIngress, type Routing } from "./ingress.ts";
import { makePlaceholder } from "./placeholder.ts";
import { type Resolution, resolveTraffic, type Target } from "./traffic.ts";

export interface RouteOptions {
  /** C-74. */
  readonly clusterDomain: string;
  /** Domain of routes no entry of config-domain selects; `undefined`: those are cluster-local, as the reference. */
  readonly domainSuffix: string | undefined;
  /** Port of the public entry point, put into URLs unless it is the scheme's own. Design §9. */
  readonly externalPort: number | undefined;
}

export interface RouteDeps extends StatusPassDeps {
  readonly client: KubeClient;
  readonly settings: Pick<LiveSettings, "current">;
  readonly routes: Lister<Route>;
  readonly configurations: Lister<Configuration>;
  readonly revisions: Lister<Revision>;
  readonly ingresses: Lister<Ingress>;
  /** Indexed by the route label. */
  readonly services: Lister<Service>;
}

type RouteStatus = NonNullable<Route["status"]>;
type Draft = StatusDraft<RouteStatus>;

const ALL_TRAFFIC_ASSIGNED = "AllTrafficAssigned";
const INGRESS_READY = "IngressReady";
const CERTIFICATE_PROVISIONED = "CertificateProvisioned";

/** Leads a Route's hosts to the revisions its traffic means, through a KIngress. C-68…C-90. */
export class RouteReconciler implements Reconciler {
  readonly name = "route-controller";
  readonly #deps: RouteDeps;
  readonly #options: RouteOptions;

  constructor(deps: RouteDeps, options: RouteOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const route = this.#deps.routes.get(key);
    if (route === undefined || route.metadata.deletionTimestamp !== undefined) return done;
    return await statusPass<RouteStatus>(this.#deps, {
      component: this.name,
      object: route,
      before: route.status ?? {},
      dependents: [ALL_TRAFFIC_ASSIGNED, INGRESS_READY, CERTIFICATE_PROVISIONED],
      run: (draft) => this.#run(route, draft),
      write: (status) => writeStatus(this.#deps.client, RouteKind, route, status),
    });
  }

  async #run(route: Stored<Route>, draft: Draft): Promise<Pass> {
    if (!isObserved(route)) {
      draft.conditions.set(INGRESS_READY, { status: "Unknown", reason: "IngressNotConfigured" });
    }
    try {
      return await this.#bring(route, draft);
    } catch (error) {
      if (error instanceof HostError) {
        const { message } = error;
        draft.conditions.set(ALL_TRAFFIC_ASSIGNED, { status: "False", reason: "ErrorConfig", message });
      } else if (error instanceof NotOwnedError) {
        const { message } = error;
        draft.conditions.set(INGRESS_READY, { status: "False", reason: "NotOwned", message });
      }
      throw error;
    }
  }

  async #bring(route: Stored<Route>, draft: Draft): Promise<Pass> {
    const naming: Naming = { ...this.#options, settings: this.#deps.settings.current };
    const visibility = (tag: string): Visibility => this.#visibility(route, tag, naming);
    draft.fields = { ...draft.fields, url: this.#url(route, "", visibility(""), naming) };
    const resolution = this.#resolve(route);
    if (resolution.kind === "unresolved") {
      draft.conditions.set(ALL_TRAFFIC_ASSIGNED, resolution.assigned);
      return done; // what was routed before stays as it is
    }
    const routing: Routing = { groups: resolution.groups, visibility, naming };
    draft.fields = {
      ...draft.fields,
      traffic: resolution.targets.map((target) => this.#trafficStatus(route, target, routing)),
      address: { url: `http://${hostOf(route, "", "ClusterLocal", naming)}` },
    };
    draft.conditions.set(ALL_TRAFFIC_ASSIGNED, { status: "True" });
    await this.#bringPlaceholders(route, routing);
    const message = "autoTLS is not enabled";
    draft.conditions.set(CERTIFICATE_PROVISIONED, { status: "True", reason: "TLSNotEnabled", message });
    const ingress = await this.#bringIngress(route, makeIngress(route, routing));
    mirrorIngress(draft, ingress);
    return done;
  }

  #resolve(route: Stored<Route>): Resolution {
    const { configurations, revisions } = this.#deps;
    const { namespace } = route.metadata;
    return resolveTraffic(route, {
      configuration: (name) => configurations.get(objectKey({ namespace, name })),
      revision: (name) => revisions.get(objectKey({ namespace, name })),
    });
  }

  /** C-75: a tag may be hidden by a label on its placeholder. */
  #visibility(route: Stored<Route>, tag: string, naming: Naming): Visibility {
    if (routeVisibility(route, naming) === "ClusterLocal") return "ClusterLocal";
    const name = hostName(route, tag, naming);
    const placeholder = this.#deps.services.get(objectKey({ namespace: route.metadata.namespace, name }));
    return (placeholder?.metadata.labels?.[labels.visibility] ?? "") === "" ? "ExternalIP" : "ClusterLocal";
  }

  /** C-78. */
  #url(route: Stored<Route>, tag: string, visibility: Visibility, naming: Naming): string {
    const host = hostOf(route, tag, visibility, naming);
    if (visibility === "ClusterLocal") return `http://${host}`;
    const scheme = naming.settings.network.defaultExternalScheme;
    const { externalPort } = this.#options;
    const isDefault = externalPort === undefined || externalPort === (scheme === "https" ? 443 : 80);
    return `${scheme}://${host}${isDefault ? "" : `:${externalPort}`}`;
  }

  /** C-72. */
  #trafficStatus(route: Stored<Route>, target: Target, { visibility, naming }: Routing): TrafficTarget {
    const { tag, revisionName, isLatest, percent } = target;
    return {
      revisionName,
      percent,
      latestRevision: isLatest,
      ...(tag === "" ? {} : { tag, url: this.#url(route, tag, visibility(tag), naming) }),
    };
  }

  /** C-79, C-81. */
  async #bringPlaceholders(route: Stored<Route>, { groups, naming }: Routing): Promise<void> {
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
      if (isNew) events.record(this.name, route, { type: "Normal", reason: "Created", message });
    }
    for (const service of services.byLabel(labels.route, route.metadata.name)) {
      const { metadata } = service;
      if (metadata.namespace !== namespace || wanted.has(metadata.name) || !isControlledBy(service, route)) {
        continue;
      }
      await client
        .delete(ServiceKind, { namespace, name: metadata.name }, { uid: metadata.uid })
        .catch((error: unknown) => {
          if (!isKubeError(error, "NotFound")) throw error;
        });
    }
  }

  /** C-83 step 5. An object of somebody else is left alone, unlike in the reference (C-7). */
  async #bringIngress(route: Stored<Route>, wanted: Ingress): Promise<Stored<Ingress>> {
    const { client, events, ingresses } = this.#deps;
    const name = ingressName(route.metadata.name);
    const present = ingresses.get(objectKey({ namespace: route.metadata.namespace, name }));
    if (present === undefined) {
      try {
        const { object, isNew } = await createChild(client, IngressKind, wanted, route);
        const message = `Created Ingress ${JSON.stringify(name)}`;
        if (isNew) events.record(this.name, route, { type: "Normal", reason: "Created", message });
        return object;
      } catch (error) {
        if (!isExpected(error)) {
          const message = `Failed to create Ingress: ${String(error)}`;
          events.record(this.name, route, { type: "Warning", reason: "CreationFailed", message });
        }
        throw error;
      }
    }
    requireOwned(present, route);
    const { labels: ownLabels = {}, annotations = {} } = wanted.metadata;
    const isSame =
      semanticEqual(present.spec, wanted.spec) &&
      semanticEqual(present.metadata.labels, ownLabels) &&
      semanticEqual(present.metadata.annotations, annotations);
    if (isSame) return present;
    const metadata = { ...present.metadata, labels: ownLabels, annotations };
    return await client.update(IngressKind, { ...present, metadata, spec: wanted.spec });
  }
}

/** C-83 step 6. */
function mirrorIngress(draft: Draft, ingress: Stored<Ingress>): void {
  const ready = readyCondition(ingress);
  if (!isObserved(ingress) || ready === undefined) {
    draft.conditions.set(INGRESS_READY, { status: "Unknown", reason: "IngressNotConfigured" });
    return;
  }
  draft.conditions.set(INGRESS_READY, changeOf(ready));
}
