import {
  type Clock,
  type Configuration,
  done,
  isKubeError,
  type KubeClient,
  type Lister,
  type Logger,
  labels,
  type ObjectKey,
  type Pass,
  type Reconciler,
  type Revision,
  RevisionKind,
} from "@rouse/shared";
import type { LiveSettings } from "../settings/live-settings.ts";
import { staleRevisions } from "./stale-revisions.ts";

export interface RevisionCollectorDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: Pick<LiveSettings, "current">;
  readonly configurations: Lister<Configuration>;
  /** Indexed by the configuration label. */
  readonly revisions: Lister<Revision>;
}

/** Deletes old revisions nobody routes to; what is below them goes by owner reference. Keyed by Configuration. C-139. */
export class RevisionCollector implements Reconciler {
  readonly name = "revision-gc-controller";
  readonly #deps: RevisionCollectorDeps;

  constructor(deps: RevisionCollectorDeps) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const { client, clock, configurations, log, revisions, settings } = this.#deps;
    const configuration = configurations.get(key);
    if (configuration === undefined || configuration.metadata.deletionTimestamp !== undefined) return done;
    const { name, namespace } = configuration.metadata;
    const own = revisions
      .byLabel(labels.configuration, name)
      .filter(({ metadata }) => metadata.namespace === namespace && metadata.deletionTimestamp === undefined);
    const stale = staleRevisions(own, {
      latestReady: configuration.status?.latestReadyRevisionName,
      gc: settings.current.gc,
      now: clock.wall(),
    });
    for (const { metadata } of stale) {
      const ref = { namespace, name: metadata.name };
      try {
        await client.delete(RevisionKind, ref, { uid: metadata.uid });
        log.info("old revision deleted", { revision: metadata.name, namespace });
      } catch (error) {
        if (isKubeError(error, "NotFound")) continue;
        log.warn("old revision not deleted", { revision: metadata.name, namespace, error: String(error) });
      }
    }
    return done;
  }
}
