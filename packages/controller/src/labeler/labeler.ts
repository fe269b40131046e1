import {
  type Clock,
  type Configuration,
  ConfigurationKind,
  done,
  type EventRecorder,
  isKubeError,
  type Kind,
  type KubeClient,
  type KubeObject,
  type Lister,
  labels,
  type ObjectKey,
  objectKey,
  objectRef,
  type Pass,
  type Reconciler,
  type Revision,
  RevisionKind,
  type Route,
  RouteKind,
  type Stored,
} from "@rouse/shared";
import { ROUTE_FINALIZER } from "../metadata-keys.ts";
import { hasFailed, isReady } from "../pass/readiness.ts";
import { BY_ROUTE, routingPatch } from "./routing-meta.ts";

export interface LabelerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly routes: Lister<Route>;
  /** Both indexed `BY_ROUTE`. */
  readonly configurations: Lister<Configuration>;
  readonly revisions: Lister<Revision>;
}

/** Names, within the Route's namespace. */
interface Listed {
  readonly revisions: ReadonlySet<string>;
  readonly configurations: ReadonlySet<string>;
}

const NOTHING_LISTED: Listed = { revisions: new Set(), configurations: new Set() };

/**
 * Marks Revisions and Configurations with the Routes that use them, so that a Revision without any may drain to zero
 * and be collected. Keyed by Route; never writes status. C-63…C-67.
 */
export class Labeler implements Reconciler {
  readonly name = "labeler-controller";
  readonly #deps: LabelerDeps;

  constructor(deps: LabelerDeps) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const route = this.#deps.routes.get(key);
    if (route === undefined) {
      await this.#clear(objectRef(key), NOTHING_LISTED);
    } else if (route.metadata.deletionTimestamp !== undefined) {
      await this.#clear(route.metadata, NOTHING_LISTED); // C-66
      await this.#setFinalizer(route, "removed");
    } else {
      await this.#setFinalizer(route, "added");
      const listed = this.#listed(route);
      // While traffic is still moving, what is left behind keeps serving. C-64
      if (isReady(route) || hasFailed(route)) await this.#clear(route.metadata, listed);
      await this.#mark(route, listed);
    }
    return done;
  }

  /** What traffic goes to now and what it will go to. C-63. */
  #listed(route: Stored<Route>): Listed {
    const { configurations, revisions } = this.#deps;
    const { namespace } = route.metadata;
    const revisionNames = new Set<string>();
    const configurationNames = new Set<string>();
    for (const target of [...(route.status?.traffic ?? []), ...(route.spec.traffic ?? [])]) {
      const { revisionName = "", configurationName = "" } = target;
      const revision = revisions.get(objectKey({ namespace, name: revisionName }));
      if (revision !== undefined) {
        revisionNames.add(revisionName);
        const owner = revision.metadata.labels?.[labels.configuration] ?? "";
        if (configurations.get(objectKey({ namespace, name: owner })) !== undefined) {
          configurationNames.add(owner);
        }
      }
      const configuration = configurations.get(objectKey({ namespace, name: configurationName }));
      if (configuration === undefined) continue;
      configurationNames.add(configurationName);
      const created = configuration.status?.latestCreatedRevisionName ?? "";
      if (
        target.latestRevision === true &&
        revisions.get(objectKey({ namespace, name: created })) !== undefined
      ) {
        revisionNames.add(created); // the coming one is active before it is ready
      }
    }
    return { revisions: revisionNames, configurations: configurationNames };
  }

  async #clear(route: { readonly namespace: string; readonly name: string }, listed: Listed): Promise<void> {
    const stale = <T extends KubeObject>(all: Lister<T>, kept: ReadonlySet<string>): readonly Stored<T>[] =>
      all
        .byLabel(BY_ROUTE, route.name)
        .filter(({ metadata }) => metadata.namespace === route.namespace && !kept.has(metadata.name));
    for (const revision of stale(this.#deps.revisions, listed.revisions)) {
      await this.#patch(RevisionKind, revision, { name: route.name, isListed: false });
    }
    for (const configuration of stale(this.#deps.configurations, listed.configurations)) {
      await this.#patch(ConfigurationKind, configuration, { name: route.name, isListed: false });
    }
  }

  async #mark(route: Stored<Route>, listed: Listed): Promise<void> {
    const { namespace, name } = route.metadata;
    for (const revisionName of listed.revisions) {
      const revision = this.#deps.revisions.get(objectKey({ namespace, name: revisionName }));
      if (revision !== undefined) await this.#patch(RevisionKind, revision, { name, isListed: true });
    }
    for (const configurationName of listed.configurations) {
      const configuration = this.#deps.configurations.get(objectKey({ namespace, name: configurationName }));
      if (configuration !== undefined)
        await this.#patch(ConfigurationKind, configuration, { name, isListed: true });
    }
  }

  /** A merge patch of metadata alone: whoever writes the spec meanwhile is not overwritten. */
  async #patch(
    kind: Kind<Revision> | Kind<Configuration>,
    object: Stored<Revision> | Stored<Configuration>,
    route: { readonly name: string; readonly isListed: boolean },
  ): Promise<void> {
    if (object.metadata.deletionTimestamp !== undefined) return;
    const now = this.#deps.clock.wall();
    const metadata = routingPatch(object, route, { hasState: kind === RevisionKind, now });
    if (metadata === undefined) return;
    const { namespace, name } = object.metadata;
    try {
      await this.#deps.client.patch<Revision | Configuration>(
        kind,
        { namespace, name },
        { kind: "merge", body: { metadata } },
      );
    } catch (error) {
      if (!isKubeError(error, "NotFound")) throw error;
    }
  }

  /** C-12. */
  async #setFinalizer(route: Stored<Route>, wanted: "added" | "removed"): Promise<void> {
    const present = route.metadata.finalizers ?? [];
    if (present.includes(ROUTE_FINALIZER) === (wanted === "added")) return;
    const { namespace, name, resourceVersion } = route.metadata;
    const finalizers =
      wanted === "added" ? [...present, ROUTE_FINALIZER] : present.filter((one) => one !== ROUTE_FINALIZER);
    try {
      await this.#deps.client.patch(
        RouteKind,
        { namespace, name },
        { kind: "merge", body: { metadata: { finalizers, resourceVersion } } },
      );
    } catch (error) {
      if (isKubeError(error, "NotFound")) return;
      throw error;
    }
    if (wanted === "removed") return;
    const message = `Updated ${JSON.stringify(name)} finalizers`;
    this.#deps.events.record(this.name, route, { type: "Normal", reason: "FinalizerUpdate", message });
  }
}
