import {
  type Condition,
  type Configuration,
  type DomainMapping,
  findCondition,
  type KnativeService,
  type KubeObject,
  RealClock,
  type Revision,
  type Route,
  type Stored,
} from "@rouse/shared";
import { made, type ServiceFlags, updated } from "./kn-service.ts";
import { KnError, KnTransport } from "./kn-transport.ts";

type Service = Stored<KnativeService>;

const SERVING = "/apis/serving.knative.dev/v1/namespaces/default";
const MAPPINGS = "/apis/serving.knative.dev/v1beta1/namespaces/default/domainmappings";
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
/** How long a Ready of False may last before kn takes it for good. */
const WAIT_WINDOW_MS = 2_000;
const WAIT_SECONDS = 30;
const CONFLICTS_MAX = 5;
const clock = new RealClock();

/**
 * The calls of `kn`, one method per command, in the order and with the bodies of its source: kn itself cannot be
 * installed where the tests run. C §16, P-n
 */
export class Kn {
  readonly #api: KnTransport;

  private constructor(api: KnTransport) {
    this.#api = api;
  }

  static async open(kubeconfig: string, port: number): Promise<Kn> {
    return new Kn(await KnTransport.open(kubeconfig, port));
  }

  async createService(name: string, flags: ServiceFlags): Promise<Service> {
    if ((await this.#api.find<Service>(`${SERVING}/services/${name}`)) !== undefined) {
      throw new Error(`cannot create service '${name}' because the service already exists`);
    }
    await this.#api.call("POST", `${SERVING}/services`, made(name, flags));
    return await this.waitForService(name);
  }

  /** `create --force`: the old object's version, and of its annotations who made it. */
  async replaceService(name: string, flags: ServiceFlags): Promise<{ readonly isChanged: boolean }> {
    const old = await this.#api.call<Service>("GET", `${SERVING}/services/${name}`);
    const wanted = made(name, flags);
    const kept = Object.entries(old.metadata.annotations ?? {}).filter(([key]) =>
      ["serving.knative.dev/creator", "serving.knative.dev/lastModifier"].includes(key),
    );
    const metadata = {
      ...wanted.metadata,
      resourceVersion: old.metadata.resourceVersion,
      annotations: { ...wanted.metadata.annotations, ...Object.fromEntries(kept) },
    };
    const stored = await this.#api.call<Service>("PUT", `${SERVING}/services/${name}`, {
      ...wanted,
      metadata,
    });
    const isChanged = stored.metadata.generation !== old.metadata.generation;
    if (isChanged) await this.waitForService(name);
    return { isChanged };
  }

  /** On a conflict all of it again, from the GET. */
  async updateService(name: string, flags: ServiceFlags): Promise<{ readonly isChanged: boolean }> {
    for (let attempt = 1; ; attempt++) {
      const service = await this.#api.call<Service>("GET", `${SERVING}/services/${name}`);
      const base = await this.#baseRevision(service);
      await this.#api.list<Revision>(`${SERVING}/revisions`, {
        label: `serving.knative.dev/service=${name}`,
      });
      try {
        const changed = updated(service, flags, base);
        const stored = await this.#api.call<Service>("PUT", `${SERVING}/services/${name}`, changed);
        const isChanged = stored.metadata.generation !== service.metadata.generation;
        if (isChanged) await this.waitForService(name);
        return { isChanged };
      } catch (error) {
        if (!(error instanceof KnError && error.status === 409) || attempt === CONFLICTS_MAX) throw error;
      }
    }
  }

  /** Three-way: what was applied before, what is there, what is wanted. An empty patch is not sent. */
  async applyService(name: string, flags: ServiceFlags): Promise<"created" | "changed" | "unchanged"> {
    const wanted = made(name, flags, false);
    const lastApplied = JSON.stringify(wanted);
    const annotations = { ...wanted.metadata.annotations, [LAST_APPLIED]: lastApplied };
    const annotated = { ...wanted, metadata: { ...wanted.metadata, annotations } };
    const present = await this.#api.find<Service>(`${SERVING}/services/${name}`);
    if (present === undefined) {
      await this.#api.call("POST", `${SERVING}/services`, annotated);
      await this.waitForService(name);
      return "created";
    }
    if (present.metadata.annotations?.[LAST_APPLIED] === lastApplied) return "unchanged";
    const patch = { metadata: { annotations }, spec: wanted.spec };
    const stored = await this.#api.call<Service>("PATCH", `${SERVING}/services/${name}`, patch);
    if (stored.metadata.generation === stored.status?.observedGeneration) return "unchanged";
    await this.waitForService(name);
    return "changed";
  }

  /** C-159. @throws Error `<reason>: <message>` once Ready has been False for long enough */
  async waitForService(name: string): Promise<Service> {
    const found = await this.#api.find<Service>(`${SERVING}/services/${name}`);
    if (found !== undefined && isReady(found)) return found;
    const query = new URLSearchParams({
      fieldSelector: `metadata.name=${name}`,
      resourceVersion: found?.metadata.resourceVersion ?? "",
      timeoutSeconds: String(WAIT_SECONDS + 30),
      watch: "true",
    });
    let window: Disposable | undefined;
    try {
      return await this.#api.watch(`${SERVING}/services?${query}`, (event, done) => {
        const service = event.object;
        if (event.type !== "MODIFIED" || !isObserved(service)) return;
        const ready = findCondition(service.status?.conditions, "Ready");
        window?.[Symbol.dispose]();
        if (ready?.status === "True") done.resolve(service);
        if (ready?.status !== "False") return;
        const why = new Error(`${ready.reason}: ${ready.message}`);
        window = clock.after(WAIT_WINDOW_MS, () => done.reject(why));
      });
    } finally {
      window?.[Symbol.dispose]();
    }
  }

  async listServices(name?: string): Promise<readonly Service[]> {
    return await this.#api.list<KnativeService>(`${SERVING}/services`, name === undefined ? {} : { name });
  }

  /** @throws Error where kn gives up: a revision that traffic names and nobody has, a generation that is no number */
  async describeService(name: string) {
    const service = await this.#api.call<Service>("GET", `${SERVING}/services/${name}`);
    const { traffic = [], latestCreatedRevisionName, latestReadyRevisionName } = service.status ?? {};
    const named = [
      ...traffic.map(({ revisionName }) => revisionName),
      latestCreatedRevisionName,
      latestReadyRevisionName,
    ];
    const revisions: Stored<Revision>[] = [];
    for (const revisionName of new Set(named)) {
      if (revisionName === undefined) continue;
      revisions.push(await this.#api.call<Stored<Revision>>("GET", `${SERVING}/revisions/${revisionName}`));
    }
    const all = await this.#api.list<Revision>(`${SERVING}/revisions`, {
      label: `serving.knative.dev/service=${name}`,
    });
    for (const { metadata } of [...revisions, ...all]) {
      const generation = Number.parseInt(
        metadata.labels?.["serving.knative.dev/configurationGeneration"] ?? "",
        10,
      );
      if (Number.isNaN(generation))
        throw new Error(`cannot extract configuration generation of ${metadata.name}`);
    }
    if (service.status?.address?.url === undefined) throw new Error("no address to describe");
    return { service, revisions, all };
  }

  /** With `isWaiting`: in the foreground, until the watch says that it is gone. */
  async deleteService(name: string, isWaiting = false): Promise<void> {
    const service = await this.#api.call<Service>("GET", `${SERVING}/services/${name}`);
    if (service.metadata.deletionTimestamp !== undefined) throw new Error("is being deleted already");
    const options = {
      kind: "DeleteOptions",
      apiVersion: "serving.knative.dev/v1",
      propagationPolicy: isWaiting ? "Foreground" : "Background",
    };
    const query = new URLSearchParams({
      fieldSelector: `metadata.name=${name}`,
      resourceVersion: service.metadata.resourceVersion,
      watch: "true",
    });
    const gone = isWaiting
      ? this.#api.watch(`${SERVING}/services?${query}`, ({ type, object }, done) => {
          if (type === "DELETED") done.resolve(object);
        })
      : undefined;
    await this.#api.call("DELETE", `${SERVING}/services/${name}`, options);
    await gone;
  }

  async listRevisions(service: string): Promise<readonly Stored<Revision>[]> {
    await this.#api.call("GET", `${SERVING}/services/${service}`);
    const revisions = await this.#api.list<Revision>(`${SERVING}/revisions`, {
      label: `serving.knative.dev/service=${service}`,
    });
    for (const name of new Set(
      revisions.map(({ metadata }) => metadata.labels?.["serving.knative.dev/service"]),
    )) {
      await this.#api.call("GET", `${SERVING}/services/${name}`);
    }
    for (const { metadata } of revisions) {
      if (metadata.annotations === undefined) throw new Error("assignment to entry in nil map");
    }
    const generation = ({ metadata }: Stored<Revision>): number =>
      Number(metadata.labels?.["serving.knative.dev/configurationGeneration"]);
    return revisions.toSorted((a, b) => generation(b) - generation(a));
  }

  async describeRevision(name: string): Promise<Stored<Revision>> {
    const revision = await this.#api.call<Stored<Revision>>("GET", `${SERVING}/revisions/${name}`);
    await this.#api.call(
      "GET",
      `${SERVING}/services/${revision.metadata.labels?.["serving.knative.dev/service"]}`,
    );
    return revision;
  }

  async deleteRevision(name: string): Promise<void> {
    await this.#api.call("GET", `${SERVING}/revisions/${name}`);
    await this.#api.call("DELETE", `${SERVING}/revisions/${name}`, {
      kind: "DeleteOptions",
      apiVersion: "v1",
    });
  }

  /** `revision delete --prune`: those of a service that nothing refers to. */
  async pruneRevisions(service: string): Promise<readonly string[]> {
    const unreferenced = (await this.listRevisions(service)).filter(
      ({ metadata }) => metadata.labels?.["serving.knative.dev/routingState"] !== "active",
    );
    const names = unreferenced.map(({ metadata }) => metadata.name);
    for (const name of names) await this.deleteRevision(name);
    return names;
  }

  async listRoutes(): Promise<readonly Stored<Route>[]> {
    return await this.#api.list<Route>(`${SERVING}/routes`, {});
  }

  /** @throws where kn would dereference what is not there */
  async describeRoute(name: string): Promise<readonly string[]> {
    const route = await this.#api.call<Stored<Route>>("GET", `${SERVING}/routes/${name}`);
    return (route.status?.traffic ?? []).map(({ percent, tag, url, revisionName }) => {
      if (percent === undefined || (tag !== undefined && url === undefined)) throw new Error("nil pointer");
      return `${percent}% ${revisionName}${tag === undefined ? "" : ` #${tag} ${url}`}`;
    });
  }

  /** The reference's kind and apiVersion are taken from what GET says of it. */
  async createDomain(name: string, plural: "services" | "routes", of: string): Promise<void> {
    const { kind, apiVersion } = await this.#api.call<KubeObject>("GET", `${SERVING}/${plural}/${of}`);
    await this.#api.call("POST", MAPPINGS, {
      kind: "DomainMapping",
      apiVersion: "serving.knative.dev/v1beta1",
      metadata: { name, namespace: "default", creationTimestamp: null },
      spec: { ref: { kind, apiVersion, name: of, namespace: "default" } },
      status: {},
    });
  }

  async updateDomain(name: string, plural: "services" | "routes", of: string): Promise<void> {
    const { kind, apiVersion } = await this.#api.call<KubeObject>("GET", `${SERVING}/${plural}/${of}`);
    const mapping = await this.#api.call<Stored<DomainMapping>>("GET", `${MAPPINGS}/${name}`);
    const spec = { ...mapping.spec, ref: { kind, apiVersion, name: of, namespace: "default" } };
    await this.#api.call("PUT", `${MAPPINGS}/${name}`, { ...mapping, spec });
  }

  async listDomains(): Promise<readonly Stored<DomainMapping>[]> {
    return await this.#api.list<DomainMapping>(MAPPINGS, {});
  }

  async describeDomain(name: string): Promise<Stored<DomainMapping>> {
    return await this.#api.call("GET", `${MAPPINGS}/${name}`);
  }

  async deleteDomain(name: string): Promise<void> {
    await this.#api.call("DELETE", `${MAPPINGS}/${name}`, { kind: "DeleteOptions", apiVersion: "v1" });
  }

  /** A service with a history: its revisions are posted under the configuration it got. */
  async importService(
    service: object & { metadata: { name: string } },
    revisions: readonly Revision[],
  ): Promise<Service> {
    const { name } = service.metadata;
    await this.#api.call("POST", `${SERVING}/services`, service);
    let configuration: Stored<Configuration> | undefined;
    while (configuration === undefined)
      configuration = await this.#api.find(`${SERVING}/configurations/${name}`);
    const { uid } = configuration.metadata;
    const owner = { apiVersion: "serving.knative.dev/v1", kind: "Configuration", name, uid };
    for (const revision of revisions) {
      const ownerReferences = [{ ...owner, controller: true, blockOwnerDeletion: true }];
      await this.#api.call("POST", `${SERVING}/revisions`, {
        ...revision,
        metadata: { ...revision.metadata, ownerReferences },
      });
    }
    return await this.waitForService(name);
  }

  /** C-163: the revision whose resolved image an update without one keeps. */
  async #baseRevision(service: Service): Promise<Stored<Revision> | undefined> {
    const name = service.spec.template.metadata?.name ?? service.status?.latestCreatedRevisionName;
    return name === undefined ? undefined : await this.#api.find(`${SERVING}/revisions/${name}`);
  }
}

/** As kn counts them: `3 OK / 3`. C-161 */
export function conditionsOf(conditions: readonly Condition[] = []): string {
  return `${conditions.filter(({ status }) => status === "True").length} OK / ${conditions.length}`;
}

function isObserved({ status, metadata }: Service): boolean {
  return status?.observedGeneration === metadata.generation;
}

function isReady(service: Service): boolean {
  return isObserved(service) && findCondition(service.status?.conditions, "Ready")?.status === "True";
}
