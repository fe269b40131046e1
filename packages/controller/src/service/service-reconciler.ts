import {
  type ConditionChange,
  type Configuration,
  ConfigurationKind,
  done,
  type Kind,
  type KnativeService,
  KnativeServiceKind,
  type KubeClient,
  type KubeObject,
  type Lister,
  type ObjectKey,
  objectKey,
  type Pass,
  type Reconciler,
  type Revision,
  type Route,
  RouteKind,
  type Stored,
  semanticEqual,
  writeStatus,
} from "@rouse/shared";
import { isUsableRevision } from "../configuration/make-revision.ts";
import { createChild, NotOwnedError, requireOwned } from "../pass/ownership.ts";
import { changeOf, isObserved, readyCondition } from "../pass/readiness.ts";
import { isExpected, type StatusDraft, type StatusPassDeps, statusPass } from "../pass/status-pass.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import { makeConfiguration, makeRoute } from "./service-children.ts";
import { isTrafficMigrated } from "./traffic-migrated.ts";

export interface ServiceDeps extends StatusPassDeps {
  readonly client: KubeClient;
  readonly settings: Pick<LiveSettings, "current">;
  readonly knativeServices: Lister<KnativeService>;
  readonly configurations: Lister<Configuration>;
  readonly routes: Lister<Route>;
  readonly revisions: Lister<Revision>;
}

type ServiceStatus = NonNullable<KnativeService["status"]>;
type Draft = StatusDraft<ServiceStatus>;

const CONFIGURATIONS_READY = "ConfigurationsReady";
const ROUTES_READY = "RoutesReady";

/** Keeps a Service's Configuration and Route as its spec says, and says how they are. C-26…C-30. */
export class ServiceReconciler implements Reconciler {
  readonly name = "service-controller";
  readonly #deps: ServiceDeps;

  constructor(deps: ServiceDeps) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const service = this.#deps.knativeServices.get(key);
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return done;
    return await statusPass<ServiceStatus>(this.#deps, {
      component: this.name,
      object: service,
      before: service.status ?? {},
      dependents: [CONFIGURATIONS_READY, ROUTES_READY],
      run: (draft) => this.#run(service, draft),
      write: (status) => writeStatus(this.#deps.client, KnativeServiceKind, service, status),
    });
  }

  async #run(service: Stored<KnativeService>, draft: Draft): Promise<Pass> {
    const configuration = await this.#bringConfiguration(service, draft);
    const isNamed = (service.spec.template.metadata?.name ?? "") !== "";
    if (!isObserved(configuration)) {
      draft.conditions.set(CONFIGURATIONS_READY, outOfDate("Configuration", configuration.metadata.name));
      // A named revision may turn out to be taken; traffic stays where it is until that is known.
      if (isNamed) return done;
    } else {
      const { latestCreatedRevisionName, latestReadyRevisionName } = configuration.status ?? {};
      draft.fields = {
        ...draft.fields,
        ...(latestCreatedRevisionName === undefined ? {} : { latestCreatedRevisionName }),
        ...(latestReadyRevisionName === undefined ? {} : { latestReadyRevisionName }),
      };
      mirrorReady(draft, CONFIGURATIONS_READY, configuration);
    }
    if (isNamed && this.#isNameTaken(configuration)) {
      draft.conditions.set(ROUTES_READY, {
        status: "False",
        reason: "RevisionNameTaken",
        message: `The revision name ${JSON.stringify(service.spec.template.metadata?.name)} is taken by a conflicting Revision, so traffic will not be migrated`,
      });
      return done;
    }
    const route = await this.#bringRoute(service, draft);
    this.#mirrorRoute(service, configuration, route, draft);
    // When both are False the route has nothing to lead to: the revision's own words are the cause.
    const failed = draft.conditions.get(CONFIGURATIONS_READY);
    if (failed.status === "False") draft.conditions.setHappy(changeOf(failed));
    return done;
  }

  async #bringConfiguration(service: Stored<KnativeService>, draft: Draft): Promise<Stored<Configuration>> {
    const present = this.#deps.configurations.get(objectKey(service.metadata));
    const wanted = makeConfiguration(service, present);
    return await this.#bring(service, draft, CONFIGURATIONS_READY, ConfigurationKind, present, wanted);
  }

  async #bringRoute(service: Stored<KnativeService>, draft: Draft): Promise<Stored<Route>> {
    const present = this.#deps.routes.get(objectKey(service.metadata));
    return await this.#bring(service, draft, ROUTES_READY, RouteKind, present, makeRoute(service));
  }

  /** Creates the child, or overwrites its spec, labels and annotations when any of them differs. */
  async #bring<T extends KubeObject & { readonly spec: unknown }>(
    service: Stored<KnativeService>,
    draft: Draft,
    condition: string,
    kind: Kind<T>,
    present: Stored<T> | undefined,
    wanted: T,
  ): Promise<Stored<T>> {
    const { client, events } = this.#deps;
    try {
      if (present === undefined) {
        const { object, isNew } = await createChild(client, kind, wanted, service);
        const message = `Created ${kind.kind} ${JSON.stringify(wanted.metadata.name)}`;
        if (isNew) events.record(this.name, service, { type: "Normal", reason: "Created", message });
        return object;
      }
      requireOwned({ ...present, apiVersion: wanted.apiVersion, kind: kind.kind }, service);
    } catch (error) {
      if (error instanceof NotOwnedError) {
        draft.conditions.set(condition, { status: "False", reason: "NotOwned", message: error.message });
      } else if (!isExpected(error)) {
        const message = `Failed to create ${kind.kind} ${JSON.stringify(wanted.metadata.name)}: ${String(error)}`;
        events.record(this.name, service, { type: "Warning", reason: "CreationFailed", message });
      }
      throw error;
    }
    if (hasContent(present, wanted)) return present;
    return await client.update(kind, {
      ...wanted,
      metadata: {
        ...present.metadata,
        labels: wanted.metadata.labels ?? {},
        annotations: wanted.metadata.annotations ?? {},
      },
    });
  }

  /** C-27 step 3. */
  #isNameTaken(configuration: Stored<Configuration>): boolean {
    const name = configuration.spec.template.metadata?.name ?? "";
    const revision = this.#deps.revisions.get(
      objectKey({ namespace: configuration.metadata.namespace, name }),
    );
    if (revision === undefined) return false;
    return !isUsableRevision(revision, configuration, this.#deps.settings.current);
  }

  #mirrorRoute(
    service: Stored<KnativeService>,
    configuration: Stored<Configuration>,
    route: Stored<Route>,
    draft: Draft,
  ): void {
    if (!isObserved(route)) {
      draft.conditions.set(ROUTES_READY, outOfDate("Route", route.metadata.name));
      return;
    }
    const { url, address, traffic } = route.status ?? {};
    draft.fields = {
      ...draft.fields,
      ...(url === undefined ? {} : { url }),
      ...(address === undefined ? {} : { address }),
      ...(traffic === undefined ? {} : { traffic }),
    };
    mirrorReady(draft, ROUTES_READY, route);
    if (draft.conditions.get(ROUTES_READY).status !== "True") return;
    const isMigrated = isTrafficMigrated(route.spec.traffic ?? [], traffic ?? [], {
      configurationName: service.metadata.name,
      latestReady: configuration.status?.latestReadyRevisionName,
    });
    if (isMigrated) return;
    draft.conditions.set(ROUTES_READY, {
      status: "Unknown",
      reason: "TrafficNotMigrated",
      message: "Traffic is not yet migrated to the latest revision.",
    });
  }
}

function hasContent<T extends KubeObject & { readonly spec: unknown }>(
  present: Stored<T>,
  wanted: T,
): boolean {
  const { spec }: { readonly spec: unknown } = present;
  return (
    semanticEqual(spec, wanted.spec) &&
    semanticEqual(present.metadata.labels, wanted.metadata.labels) &&
    semanticEqual(present.metadata.annotations, wanted.metadata.annotations)
  );
}

function outOfDate(kind: string, name: string): ConditionChange {
  const message = `The ${kind} ${JSON.stringify(name)} is still working to reflect the latest desired specification.`;
  return { status: "Unknown", reason: "OutOfDate", message };
}

/** Takes over a child's `Ready`; a child that has none yet leaves the condition as it is. */
function mirrorReady(draft: Draft, type: string, child: Stored<Configuration> | Stored<Route>): void {
  const ready = readyCondition(child);
  if (ready !== undefined) draft.conditions.set(type, changeOf(ready));
}
