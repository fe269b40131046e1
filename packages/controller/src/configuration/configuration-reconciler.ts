import {
  type Configuration,
  ConfigurationKind,
  type ConfigurationStatus,
  done,
  type KubeClient,
  type Lister,
  labels,
  type ObjectKey,
  objectKey,
  type Pass,
  type Reconciler,
  type Revision,
  RevisionKind,
  type Stored,
  writeStatus,
} from "@rouse/shared";
import { createChild, NotOwnedError } from "../pass/ownership.ts";
import { readyCondition } from "../pass/readiness.ts";
import { isExpected, type StatusDraft, type StatusPassDeps, statusPass } from "../pass/status-pass.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import { latestReady } from "./latest-ready.ts";
import { generationOf, isUsableRevision, makeRevision } from "./make-revision.ts";

export interface ConfigurationDeps extends StatusPassDeps {
  readonly client: KubeClient;
  readonly settings: Pick<LiveSettings, "current">;
  readonly configurations: Lister<Configuration>;
  /** Indexed by the configuration label. */
  readonly revisions: Lister<Revision>;
}

type Draft = StatusDraft<ConfigurationStatus>;

/** Makes a Revision for every generation of a template and follows which one is the newest that works. C-31…C-37. */
export class ConfigurationReconciler implements Reconciler {
  readonly name = "configuration-controller";
  readonly #deps: ConfigurationDeps;

  constructor(deps: ConfigurationDeps) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const configuration = this.#deps.configurations.get(key);
    if (configuration === undefined || configuration.metadata.deletionTimestamp !== undefined) return done;
    return await statusPass<ConfigurationStatus>(this.#deps, {
      component: this.name,
      object: configuration,
      before: configuration.status ?? {},
      dependents: [],
      run: (draft) => this.#run(configuration, draft),
      write: (status) => writeStatus(this.#deps.client, ConfigurationKind, configuration, status),
    });
  }

  async #run(configuration: Stored<Configuration>, draft: Draft): Promise<Pass> {
    const created = await this.#bringRevision(configuration, draft);
    if (created === undefined) return done;
    draft.fields = { ...draft.fields, latestCreatedRevisionName: created.metadata.name };
    this.#followCreated(configuration, created, draft);
    this.#followReady(configuration, created, draft);
    return done;
  }

  /** The Revision of the current generation, made if there is none; `undefined`: its name is taken. */
  async #bringRevision(
    configuration: Stored<Configuration>,
    draft: Draft,
  ): Promise<Stored<Revision> | undefined> {
    const { settings, revisions } = this.#deps;
    const { namespace, generation } = configuration.metadata;
    const ownName = configuration.spec.template.metadata?.name ?? "";
    if (ownName === "") {
      const found = this.#revisionsOf(configuration).find((one) => generationOf(one) === generation);
      return found ?? (await this.#create(configuration, draft));
    }
    const found = revisions.get(objectKey({ namespace, name: ownName }));
    const named = found ?? (await this.#create(configuration, draft));
    if (isUsableRevision(named, configuration, settings.current)) return named;
    const message = `Revision ${JSON.stringify(ownName)} exists and is not of this template`;
    draft.conditions.setHappy({ status: "False", reason: "RevisionFailed", message });
    return undefined;
  }

  async #create(configuration: Stored<Configuration>, draft: Draft): Promise<Stored<Revision>> {
    const { client, clock, events, settings } = this.#deps;
    const wanted = makeRevision(configuration, settings.current, clock.wall());
    try {
      const { object, isNew } = await createChild(client, RevisionKind, wanted, configuration);
      const message = `Created Revision ${JSON.stringify(wanted.metadata.name)}`;
      if (isNew) events.record(this.name, configuration, { type: "Normal", reason: "Created", message });
      return object;
    } catch (error) {
      if (!isExpected(error) && !(error instanceof NotOwnedError && isNamed(configuration))) {
        const message = `Failed to create Revision ${JSON.stringify(wanted.metadata.name)}: ${String(error)}`;
        events.record(this.name, configuration, { type: "Warning", reason: "CreationFailed", message });
        draft.conditions.setHappy({ status: "False", reason: "RevisionFailed", message });
      }
      throw error;
    }
  }

  /** C-34. */
  #followCreated(configuration: Stored<Configuration>, created: Stored<Revision>, draft: Draft): void {
    const { events } = this.#deps;
    const { name } = created.metadata;
    const isLatestReady = draft.fields.latestReadyRevisionName === name;
    if (!isLatestReady) draft.conditions.setHappy({ status: "Unknown" });
    const ready = readyCondition(created);
    if (ready?.status === "True" && draft.fields.latestReadyRevisionName === undefined) {
      const message = "Configuration becomes ready";
      events.record(this.name, configuration, { type: "Normal", reason: "ConfigurationReady", message });
    }
    if (ready?.status !== "False") return;
    const message = `Revision ${JSON.stringify(name)} failed with message: ${ready.message ?? ""}.`;
    const before = readyCondition(configuration);
    draft.conditions.setHappy({ status: "False", reason: "RevisionFailed", message });
    if (before?.status === "False" && before.message === message) return;
    const reason = isLatestReady ? "LatestReadyFailed" : "LatestCreatedFailed";
    events.record(this.name, configuration, { type: "Warning", reason, message });
  }

  #followReady(configuration: Stored<Configuration>, created: Stored<Revision>, draft: Draft): void {
    const ready = latestReady(configuration, created, this.#revisionsOf(configuration));
    if (ready === undefined) return;
    const { name } = ready.metadata;
    if (draft.fields.latestReadyRevisionName !== name) {
      draft.fields = { ...draft.fields, latestReadyRevisionName: name };
      const message = `LatestReadyRevisionName updated to ${JSON.stringify(name)}`;
      this.#deps.events.record(this.name, configuration, {
        type: "Normal",
        reason: "LatestReadyUpdate",
        message,
      });
    }
    if (name === created.metadata.name) draft.conditions.setHappy({ status: "True" });
  }

  #revisionsOf(configuration: Stored<Configuration>): readonly Stored<Revision>[] {
    const { name, namespace } = configuration.metadata;
    return this.#deps.revisions
      .byLabel(labels.configuration, name)
      .filter((revision) => revision.metadata.namespace === namespace);
  }
}

function isNamed(configuration: Stored<Configuration>): boolean {
  return (configuration.spec.template.metadata?.name ?? "") !== "";
}
