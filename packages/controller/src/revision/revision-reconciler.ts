import {
  type Deployment,
  DeploymentKind,
  done,
  type KubeClient,
  type Lister,
  labels,
  type ObjectKey,
  objectKey,
  type Pass,
  type Pod,
  type PodAutoscaler,
  PodAutoscalerKind,
  type Reconciler,
  type Revision,
  RevisionKind,
  type RevisionSpec,
  type Stored,
  writeStatus,
} from "@rouse/shared";
import { createChild, NotOwnedError, requireOwned } from "../pass/ownership.ts";
import { isReady } from "../pass/readiness.ts";
import { type StatusDraft, type StatusPassDeps, statusPass } from "../pass/status-pass.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import type { Settings } from "../settings/settings.ts";
import { deploymentName, makeDeployment, updatedDeployment } from "./deployment.ts";
import { hasFixedPort, makePodAutoscaler, reachability, updatedPodAutoscaler } from "./pod-autoscaler.ts";
import { hasReadyPod, podFailure } from "./pod-failure.ts";
import {
  CONTAINER_HEALTHY,
  followDeployment,
  followPodAutoscaler,
  isBad,
  lacksPods,
  RESOURCES_AVAILABLE,
} from "./revision-status.ts";

export interface RevisionDeps extends StatusPassDeps {
  readonly client: KubeClient;
  readonly settings: Pick<LiveSettings, "current">;
  readonly revisions: Lister<Revision>;
  readonly deployments: Lister<Deployment>;
  readonly podAutoscalers: Lister<PodAutoscaler>;
  /** Indexed by the revision uid label. */
  readonly pods: Lister<Pod>;
}

type RevisionStatus = NonNullable<Revision["status"]>;
type Draft = StatusDraft<RevisionStatus>;

/** What a Deployment was made from, but for the spec. */
interface MadeDeployment {
  readonly settings: Settings;
  readonly uid: string;
  readonly labels: Revision["metadata"]["labels"];
  readonly annotations: Revision["metadata"]["annotations"];
  readonly deployment: Deployment;
}

/** Condition of ours, told with severity Info: the program decides on its port, so there is one pod at most. */
const SINGLE_POD = "SinglePod";

/** Makes a Revision's Deployment and PodAutoscaler and says how its pods fare. C-38…C-62. */
export class RevisionReconciler implements Reconciler {
  readonly name = "revision-controller";
  readonly #deps: RevisionDeps;
  /** By the spec it was made from: a wake takes several passes, and writes nothing but statuses in between. */
  readonly #made = new WeakMap<RevisionSpec, MadeDeployment>();

  constructor(deps: RevisionDeps) {
    this.#deps = deps;
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const revision = this.#deps.revisions.get(key);
    if (revision === undefined || revision.metadata.deletionTimestamp !== undefined) return done;
    return await statusPass<RevisionStatus>(this.#deps, {
      component: this.name,
      object: revision,
      before: revision.status ?? {},
      dependents: [RESOURCES_AVAILABLE, CONTAINER_HEALTHY],
      run: (draft) => this.#run(revision, draft),
      write: (status) => writeStatus(this.#deps.client, RevisionKind, revision, status),
    });
  }

  async #run(revision: Stored<Revision>, draft: Draft): Promise<Pass> {
    // Without a registry every image counts as resolved, to no digest. C-47.
    const containerStatuses = revision.spec.containers.map(({ name }) => ({ name }));
    const initContainerStatuses = (revision.spec.initContainers ?? []).map(({ name }) => ({ name }));
    const { logUrl: _, ...fields } = draft.fields;
    const logUrl = logUrlOf(revision, this.#deps.settings.current);
    draft.fields = {
      ...fields,
      containerStatuses,
      ...(initContainerStatuses.length === 0 ? {} : { initContainerStatuses }),
      ...(logUrl === "" ? {} : { logUrl }),
    };
    if (hasFixedPort(revision)) {
      const message = "The program listens on a port of its own, so there is at most one pod";
      draft.conditions.set(SINGLE_POD, { status: "True", severity: "Info", reason: "FixedPort", message });
    }
    try {
      const deployment = await this.#bringDeployment(revision, draft);
      const podAutoscaler = await this.#bringPodAutoscaler(revision, deployment, draft);
      followPodAutoscaler(draft.conditions, podAutoscaler);
    } catch (error) {
      if (error instanceof NotOwnedError) {
        draft.conditions.set(RESOURCES_AVAILABLE, {
          status: "False",
          reason: "NotOwned",
          message: error.message,
        });
      }
      throw error;
    }
    if (draft.conditions.get("Ready").status === "True" && !isReady(revision)) {
      const message = "Revision becomes ready upon all resources being ready";
      this.#deps.events.record(this.name, revision, { type: "Normal", reason: "RevisionReady", message });
    }
    return done;
  }

  async #bringDeployment(revision: Stored<Revision>, draft: Draft): Promise<Stored<Deployment>> {
    const { client, deployments, settings } = this.#deps;
    const { namespace } = revision.metadata;
    const wanted = this.#wantedDeployment(revision);
    const present = deployments.get(objectKey({ namespace, name: deploymentName(revision.metadata.name) }));
    if (present === undefined) {
      for (const type of [RESOURCES_AVAILABLE, CONTAINER_HEALTHY]) {
        draft.conditions.set(type, { status: "Unknown", reason: "Deploying" });
      }
      const { object } = await createChild(client, DeploymentKind, wanted, revision);
      return object; // what it says is for the pass its first status brings
    }
    requireOwned(present, revision);
    const update = updatedDeployment(present, wanted);
    const deployment = update === undefined ? present : await client.update(DeploymentKind, update);
    const pods = lacksPods(deployment)
      ? this.#deps.pods.byLabel(labels.revisionUid, revision.metadata.uid)
      : [];
    followDeployment(draft.conditions, {
      deployment,
      failure: podFailure(pods),
      hasReadyPod: hasReadyPod(pods),
      isPodAlwaysSchedulable: settings.current.deployment.isPodAlwaysSchedulable,
    });
    return deployment;
  }

  #wantedDeployment(revision: Stored<Revision>): Deployment {
    const settings = this.#deps.settings.current;
    const { uid, labels: own, annotations } = revision.metadata;
    const made = this.#made.get(revision.spec);
    const isSame =
      made?.settings === settings &&
      made.uid === uid &&
      made.labels === own &&
      made.annotations === annotations;
    if (isSame) return made.deployment;
    const deployment = makeDeployment(revision, settings);
    this.#made.set(revision.spec, { settings, uid, labels: own, annotations, deployment });
    return deployment;
  }

  async #bringPodAutoscaler(
    revision: Stored<Revision>,
    deployment: Stored<Deployment>,
    draft: Draft,
  ): Promise<Stored<PodAutoscaler>> {
    const { client, podAutoscalers, settings } = this.#deps;
    const reach = reachability(revision, deployment, isBad(draft.conditions));
    const wanted = makePodAutoscaler(revision, settings.current, reach);
    const present = podAutoscalers.get(objectKey(revision.metadata));
    const podAutoscaler = await this.#applyPodAutoscaler(client, revision, present, wanted);
    const { actualScale = -1, desiredScale = -1 } = podAutoscaler.status ?? {};
    const { actualReplicas: _, desiredReplicas: __, ...rest } = draft.fields;
    draft.fields = {
      ...rest,
      ...(actualScale < 0 ? {} : { actualReplicas: actualScale }),
      ...(desiredScale < 0 ? {} : { desiredReplicas: desiredScale }),
    };
    return podAutoscaler;
  }

  async #applyPodAutoscaler(
    client: KubeClient,
    revision: Stored<Revision>,
    present: Stored<PodAutoscaler> | undefined,
    wanted: PodAutoscaler,
  ): Promise<Stored<PodAutoscaler>> {
    if (present === undefined) {
      const { object } = await createChild(client, PodAutoscalerKind, wanted, revision);
      return object;
    }
    requireOwned(present, revision);
    const update = updatedPodAutoscaler(present, wanted);
    return update === undefined ? present : await client.update(PodAutoscalerKind, update);
  }
}

/** C-42. */
function logUrlOf({ metadata }: Stored<Revision>, { observability }: Settings): string {
  return observability.revisionUrlTemplate.replaceAll(/\$\{REVISION_UID\}/g, () => metadata.uid);
}
