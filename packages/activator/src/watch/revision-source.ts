import {
  Informer,
  type InformerDeps,
  type InformerHandler,
  type ObjectKey,
  type PodAutoscaler,
  PodAutoscalerKind,
  parseDuration,
  type Revision,
  RevisionKind,
  rouse,
  type Stored,
} from "@rouse/shared";

/** Whose objects say which revisions there are: Knative's own, or where it is not installed, the PodAutoscalers. */
export type RevisionOrigin = "revisions" | "podautoscalers";

/** Every revision there is, as it changes. */
export interface RevisionSource extends Disposable {
  /** Resolves once all that exist are known. */
  start(): Promise<void>;
  get(key: ObjectKey): Pick<Revision, "status"> | undefined;
}

/** To be started by the caller; `handler` is told of every revision, whoever says that there is one. */
export function followRevisions(
  deps: InformerDeps,
  origin: RevisionOrigin,
  handler: InformerHandler<Revision>,
): RevisionSource {
  if (origin === "revisions") return new Informer<Revision>(deps, RevisionKind).handle(handler);
  const autoscalers = new Informer<PodAutoscaler>(deps, PodAutoscalerKind).handle({
    changed: (autoscaler, before) =>
      handler.changed(autoscaledRevision(autoscaler), before && autoscaledRevision(before)),
    removed: (last) => handler.removed(autoscaledRevision(last)),
  });
  return {
    start: () => autoscalers.start(),
    get: (key) => (autoscalers.get(key) === undefined ? undefined : {}),
    [Symbol.dispose]: () => autoscalers[Symbol.dispose](),
  };
}

/**
 * What a PodAutoscaler says of the pods it scales, as the revision it stands for. Its annotations hold what it has no
 * field for: `rouse.dev/timeout`, and whether Kubernetes alone can say that a pod is ready.
 */
export function autoscaledRevision({ metadata, spec }: Stored<PodAutoscaler>): Stored<Revision> {
  const { containerConcurrency, protocolType } = spec;
  const timeoutMs = parseDuration(metadata.annotations?.[rouse.timeout] ?? "");
  const isReadyByKubernetes = metadata.annotations?.[rouse.readyBy] === "kubernetes";
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: RevisionKind.kind,
    metadata,
    spec: {
      ...(containerConcurrency === undefined ? {} : { containerConcurrency }),
      ...(timeoutMs === undefined || timeoutMs <= 0 ? {} : { timeoutSeconds: timeoutMs / 1_000 }),
      containers: [
        {
          name: "user-container",
          ...(protocolType === "h2c" ? { ports: [{ name: "h2c", containerPort: 8080 }] } : {}),
          ...(isReadyByKubernetes ? { startupProbe: {} } : {}),
        },
      ],
    },
  };
}
