import {
  type Configuration,
  done,
  type Endpoints,
  findCondition,
  type Ingress,
  IngressKind,
  type KubeClient,
  type Lister,
  labels,
  type ObjectKey,
  objectKey,
  type Pass,
  parseDuration,
  type Reconciler,
  type Revision,
  type Route,
  RouteKind,
  type Service,
  type Stored,
  semanticEqual,
  type TrafficTarget,
  writeStatus,
} from "@rouse/shared";
import { keys } from "../metadata-keys.ts";
import { createChild, NotOwnedError, requireOwned } from "../pass/ownership.ts";
import { changeOf, isObserved, isReady, readyCondition } from "../pass/readiness.ts";
import { isExpected, type StatusDraft, type StatusPassDeps, statusPass } from "../pass/status-pass.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import { HostError, hostName, hostOf, type Naming, routeVisibility, type Visibility } from "./hosts.ts";
import { ingressName, makeIngress, type Routing } from "./ingress.ts";
import { Placeholders } from "./placeholders.ts";
import { nextStepNs, setPace, stepRollout } from "./rollout.ts";
import { entryOf, isInProgress, parseRollout, type RolloutEntry, rolloutBaseline } from "./rollout-state.ts";
import { type Resolution, resolveTraffic, type Target } from "./traffic.ts";

export interface RouteOptions {
  /** C-74. */
  readonly clusterDomain: string;
  /** Domain of routes no entry of config-domain selects; `undefined`: those are cluster-local, as the reference. */
  readonly domainSuffix: string | undefined;
  /** Port of the public entry point, put into URLs unless it is the scheme's own. Design §9. */
  readonly externalPort: number | undefined;
  /**
   * Whether placeholders lead to the ingress (C-80). Where there is no cluster DNS that anybody would ask, they only
   * hold their names (C-82).
   */
  readonly shapesPlaceholders: boolean;
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
  readonly endpoints: Lister<Endpoints>;
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
  readonly #placeholders: Placeholders;

  constructor(deps: RouteDeps, options: RouteOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#placeholders = new Placeholders(deps);
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
    const rollout = this.#rollout(route, rolloutBaseline(resolution.groups));
    const routing: Routing = { groups: resolution.groups, rollout, visibility, naming };
    draft.fields = {
      ...draft.fields,
      traffic: resolution.targets.flatMap((target) => this.#trafficStatus(route, target, routing)),
      address: { url: `http://${hostOf(route, "", "ClusterLocal", naming)}` },
    };
    draft.conditions.set(ALL_TRAFFIC_ASSIGNED, { status: "True" });
    await this.#placeholders.bring(route, routing);
    const message = "autoTLS is not enabled";
    draft.conditions.set(CERTIFICATE_PROVISIONED, { status: "True", reason: "TLSNotEnabled", message });
    const ingress = await this.#bringIngress(route, makeIngress(route, routing));
    mirrorIngress(draft, ingress);
    if (this.#options.shapesPlaceholders) await this.#placeholders.shape(route, ingress);
    if (isInProgress(rollout)) {
      const progress = "A gradual rollout of the latest revision(s) is in progress.";
      draft.conditions.set(INGRESS_READY, {
        status: "Unknown",
        reason: "RolloutInProgress",
        message: progress,
      });
    }
    return this.#untilNextStep(rollout);
  }

  /** Where latest-revision traffic is on its way from what the present KIngress says to `wanted`. C-91…C-97 */
  #rollout(route: Stored<Route>, wanted: readonly RolloutEntry[]): readonly RolloutEntry[] {
    const durationSeconds = rolloutSeconds(route, this.#deps.settings.current.network.rolloutSeconds);
    const ingress = this.#ingress(route);
    if (durationSeconds <= 0 || ingress === undefined) return wanted;
    const nowNs = this.#nowNs();
    const stored = parseRollout(ingress.metadata.annotations?.[keys.rollout] ?? "") ?? [];
    // The first percent is live: what it took tells how fast the rest may follow.
    const isSettled = findCondition(route.status?.conditions, INGRESS_READY)?.status === "True";
    const paced = isReady(ingress) && !isSettled ? setPace(stored, { nowNs, durationSeconds }) : stored;
    return stepRollout(wanted, paced, nowNs);
  }

  /** C-98 */
  #untilNextStep(rollout: readonly RolloutEntry[]): Pass {
    const at = nextStepNs(rollout);
    if (at === undefined) return done;
    return { kind: "again", afterMs: Math.max(1, Math.ceil(Number(at - this.#nowNs()) / 1e6)) };
  }

  #nowNs(): bigint {
    return BigInt(Math.floor(this.#deps.clock.wall())) * 1_000_000n;
  }

  #ingress(route: Stored<Route>): Stored<Ingress> | undefined {
    const { namespace, name } = route.metadata;
    return this.#deps.ingresses.get(objectKey({ namespace, name: ingressName(name) }));
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

  /** C-72; while a target is rolling out, one entry per revision (C-99). */
  #trafficStatus(route: Stored<Route>, target: Target, routing: Routing): readonly TrafficTarget[] {
    const { tag, isLatest } = target;
    const { rollout, visibility, naming } = routing;
    const entry = entryOf(rollout, tag, target);
    const shares = entry !== undefined && entry.revisions.length > 1 ? entry.revisions : [target];
    const tagged = tag === "" ? {} : { tag, url: this.#url(route, tag, visibility(tag), naming) };
    return shares.map(({ revisionName, percent }) => ({
      revisionName,
      percent,
      latestRevision: isLatest,
      ...tagged,
    }));
  }

  /** C-83 step 5. An object of somebody else is left alone, unlike in the reference (C-7). */
  async #bringIngress(route: Stored<Route>, wanted: Ingress): Promise<Stored<Ingress>> {
    const { client, events } = this.#deps;
    const { name } = wanted.metadata;
    const present = this.#ingress(route);
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

/** C-91: the annotation counts only from one second on. */
function rolloutSeconds(route: Stored<Route>, fallback: number): number {
  const own = route.metadata.annotations;
  const ms = parseDuration(own?.[keys.rolloutDuration] ?? own?.[keys.rolloutDurationOld] ?? "");
  return ms !== undefined && ms >= 1_000 ? Math.floor(ms / 1_000) : fallback;
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
