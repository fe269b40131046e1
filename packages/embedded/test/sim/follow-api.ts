import {
  type Deployment,
  DeploymentKind,
  type Endpoints,
  EndpointsKind,
  findCondition,
  type Kind,
  type KubeClient,
  type KubeObject,
  labels,
  type ObjectKey,
  objectKey,
  type Pod,
  PodKind,
  type ServerlessService,
  ServerlessServiceKind,
  type Stored,
} from "@rouse/shared";
import type { History } from "./history.ts";

/** What the objects of the world are now, and who is told of their changes. */
export interface Sight {
  readonly public: Map<ObjectKey, Stored<Endpoints>>;
  readonly pods: Map<ObjectKey, "ready" | "not ready" | "ending">;
  readonly replicas: Map<ObjectKey, number>;
  readonly podsChanged: () => void;
  readonly scaledToZero: (deployment: Stored<Deployment>) => void;
  /** The activators take the path of a service again. */
  readonly pathChanging: (service: string) => void;
}

type Told<T extends KubeObject> = (object: Stored<T>, isGone: boolean) => void;

/** Hears of changes as they are made, late and failing for nobody, and writes them down. */
export async function followApi(client: KubeClient, history: History, sight: Sight): Promise<Disposable> {
  const watches = new DisposableStack();
  let isOver = false;
  const { resourceVersion } = await client.list(DeploymentKind);
  const follow = <T extends KubeObject>(kind: Kind<T>, told: Told<T>, labelSelector?: string): void => {
    const query = { resourceVersion, ...(labelSelector === undefined ? {} : { labelSelector }) };
    const watch = client.watch(kind, query, {
      event: (event) => {
        if (event.type !== "BOOKMARK") told(event.object, event.type === "DELETED");
      },
      closed: () => {
        if (!isOver) history.violate("the world lost sight of itself");
      },
    });
    watches.use(watch);
  };
  follow<Deployment>(DeploymentKind, (deployment, isGone) => {
    const key = objectKey(deployment.metadata);
    const before = sight.replicas.get(key);
    const wanted = deployment.spec.replicas ?? 1;
    if (isGone || before === wanted) return;
    sight.replicas.set(key, wanted);
    history.tell(`${deployment.metadata.name} is scaled ${before ?? "-"} → ${wanted}`);
    if (wanted === 0 && (before ?? 0) > 0) sight.scaledToZero(deployment);
  });
  const modes = new Map<string, string>();
  follow<ServerlessService>(ServerlessServiceKind, ({ metadata, spec }) => {
    const mode = `${spec.mode}/${spec.numActivators ?? 0}`;
    const before = modes.get(metadata.name);
    if (before === mode) return;
    modes.set(metadata.name, mode);
    history.tell(`${metadata.name} goes to ${mode}`);
    if (spec.mode === "Proxy" && before?.startsWith("Serve") === true) {
      sight.pathChanging(metadata.labels?.[labels.service] ?? "");
    }
  });
  follow<Pod>(PodKind, ({ metadata, status }, isGone) => {
    const key = objectKey(metadata);
    const ready = findCondition(status?.conditions, "Ready")?.status === "True" ? "ready" : "not ready";
    const state = metadata.deletionTimestamp === undefined ? ready : "ending";
    if (isGone || sight.pods.get(key) !== state) {
      history.tell(`pod ${metadata.name} ${status?.podIP ?? ""} is ${isGone ? "gone" : state}`);
    }
    if (isGone) sight.pods.delete(key);
    else sight.pods.set(key, state);
    sight.podsChanged();
  });
  const isPublic = `${labels.serviceType}=Public`;
  follow<Endpoints>(
    EndpointsKind,
    (endpoints, isGone) => {
      const key = objectKey(endpoints.metadata);
      if (isGone) sight.public.delete(key);
      else sight.public.set(key, endpoints);
      const ips = (endpoints.subsets ?? []).flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip));
      history.tell(`public endpoints of ${key}: ${ips.join(" ")}`);
    },
    isPublic,
  );
  // The last in is the first out: a watch says that it is closed to whoever closes it, too.
  watches.defer(() => {
    isOver = true;
  });
  return watches;
}
