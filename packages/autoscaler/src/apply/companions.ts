import {
  isControlledBy,
  isKubeError,
  type KubeClient,
  type Lister,
  type Metric,
  MetricKind,
  type ObjectKey,
  objectKey,
  type PodAutoscaler,
  type ServerlessService,
  ServerlessServiceKind,
  type Stored,
  semanticEqual,
} from "@rouse/shared";
import { OwnWrites } from "./own-writes.ts";
import {
  makeMetric,
  makeServerlessService,
  serverlessServiceSpec,
  type WantedMode,
} from "./owned-objects.ts";

/** Before anything is known the activators hold the requests. K-53. */
const FIRST_MODE: WantedMode = { mode: "Proxy", activators: 2 };

/** Of the HPA class: the pods themselves, and every activator where there are none. K-56. */
const ALWAYS_SERVE: WantedMode = { mode: "Serve", activators: 0 };

/** An object of our name that somebody else owns. S-68, K-13. */
export class NotOwnedError extends Error {
  override readonly name = "NotOwnedError";
}

export interface CompanionsDeps {
  readonly client: KubeClient;
  readonly serverlessServices: Lister<ServerlessService>;
  readonly metrics: Lister<Metric>;
}

/**
 * The two objects beside every PodAutoscaler, of its name and owned by it: the ServerlessService and the Metric. Of an
 * existing one only the spec is repaired (K-13, S-65); every method throws `NotOwnedError` for somebody else's.
 */
export class Companions {
  readonly #deps: CompanionsDeps;
  readonly #ownMode = new OwnWrites<Stored<ServerlessService>>();

  constructor(deps: CompanionsDeps) {
    this.#deps = deps;
  }

  /** The ServerlessService once it has a private Service; until then one that proxies is made sure of. S-91, K-53. */
  async serverlessService(autoscaler: Stored<PodAutoscaler>): Promise<Stored<ServerlessService> | undefined> {
    const { client, serverlessServices } = this.#deps;
    const key = objectKey(autoscaler.metadata);
    const sks = this.#ownMode.latest(key, serverlessServices.get(key));
    if (sks === undefined) {
      await unlessExists(client.create(ServerlessServiceKind, makeServerlessService(autoscaler, FIRST_MODE)));
      return undefined;
    }
    requireOwned(sks, autoscaler);
    if ((sks.status?.privateServiceName ?? "") !== "") return sks;
    await this.switchMode(autoscaler, sks, FIRST_MODE);
    return undefined;
  }

  /** The ServerlessService that serves whatever comes, once it is there. K-56. */
  async serving(autoscaler: Stored<PodAutoscaler>): Promise<Stored<ServerlessService> | undefined> {
    const { client, serverlessServices } = this.#deps;
    const key = objectKey(autoscaler.metadata);
    const sks = this.#ownMode.latest(key, serverlessServices.get(key));
    if (sks === undefined) {
      await unlessExists(
        client.create(ServerlessServiceKind, makeServerlessService(autoscaler, ALWAYS_SERVE)),
      );
      return undefined;
    }
    requireOwned(sks, autoscaler);
    return await this.switchMode(autoscaler, sks, ALWAYS_SERVE);
  }

  /** Says who is to stand in the path. Returns what is stored now. */
  async switchMode(
    autoscaler: Stored<PodAutoscaler>,
    sks: Stored<ServerlessService>,
    mode: WantedMode,
  ): Promise<Stored<ServerlessService>> {
    const spec = serverlessServiceSpec(autoscaler, mode);
    if (semanticEqual(sks.spec, spec)) return sks;
    const updated = await this.#deps.client.update(ServerlessServiceKind, { ...sks, spec });
    this.#ownMode.remember(objectKey(autoscaler.metadata), updated);
    return updated;
  }

  async bringMetric(autoscaler: Stored<PodAutoscaler>, spec: Metric["spec"]): Promise<void> {
    const { client, metrics } = this.#deps;
    const metric = metrics.get(objectKey(autoscaler.metadata));
    if (metric === undefined) {
      await unlessExists(client.create(MetricKind, makeMetric(autoscaler, spec)));
      return;
    }
    requireOwned(metric, autoscaler);
    if (!semanticEqual(metric.spec, spec)) await client.update(MetricKind, { ...metric, spec });
  }

  /** To be called when the autoscaler of that key is gone. */
  forget(key: ObjectKey): void {
    this.#ownMode.forget(key);
  }
}

function requireOwned(
  object: Stored<ServerlessService> | Stored<Metric>,
  autoscaler: Stored<PodAutoscaler>,
): void {
  if (isControlledBy(object, autoscaler)) return;
  throw new NotOwnedError(
    `There is an existing ${object.kind} "${object.metadata.name}" that we do not own.`,
  );
}

/** Somebody was faster, or the cache is behind: its event brings the next pass. */
async function unlessExists(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
  }
}
