import {
  annotations,
  type Container,
  EACH_ACTIVATOR_SERVICE,
  type JsonPatchOperation,
  type Pod,
  type PodAutoscaler,
  parseDuration,
  ports,
  QUEUE_PROXY_CONTAINER,
  type Revision,
  rouse,
  type Stored,
  SYSTEM_NAMESPACE,
  servingIndexOrFirst,
} from "@rouse/shared";
import { queueProxyContainer } from "../revision/queue-proxy-container.ts";
import { userPort } from "../revision/user-port.ts";
import type { Settings } from "../settings/settings.ts";
import { allow, type Verdict } from "./admission-review.ts";

/** Ports of the sidecar, which shares the pod's network. Q §1 */
export const SIDECAR_PORTS: ReadonlySet<number> = new Set([
  ports.queueHttp,
  ports.queueH2c,
  ports.queueHttps,
  ports.queueAdmin,
  ports.autoscalerMetrics,
  ports.userMetrics,
]);
const GRACE_SECONDS_DEFAULT = 30;
/** it needs nothing of its node, and writes nothing. */
const SECURITY = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
} as const;

/** A sidecar tells every activator that its program is ready, before the API does. Design §5. */
const tellsActivators = {
  name: "ROUSE_READY_LISTENERS",
  value: `${EACH_ACTIVATOR_SERVICE}.${SYSTEM_NAMESPACE}.svc:${ports.queueHttp}`,
};

interface GivenContainer extends Container {
  readonly lifecycle?: { readonly preStop?: unknown };
}

/**
 * Puts a queue-proxy beside the containers of a pod that a PodAutoscaler scales, and touches as little as can be of
 * the rest: the serving container is told its `PORT`, its readiness is asked by queue-proxy, and it is not stopped
 * before what is in flight has ended. A second time nothing is changed.
 */
export function injectSidecar(pod: Pod, autoscaler: Stored<PodAutoscaler>, settings: Settings): Verdict {
  const containers: readonly GivenContainer[] = pod.spec.containers;
  if (containers.some(({ name }) => name === QUEUE_PROXY_CONTAINER)) return allow;
  const at = servingAt(containers, autoscaler.metadata.annotations?.[rouse.container]);
  const serving = containers[at];
  if (serving === undefined) return refused(`${rouse.container} names none of the pod's containers`);
  const revision = asRevision(pod, autoscaler, { at, settings });
  const taken = containers.flatMap((container) => container.ports ?? []).find(isOfSidecar);
  if (taken !== undefined) return refused(`port ${taken.containerPort} is one of queue-proxy's own`);
  const timeoutSeconds = revision.spec.timeoutSeconds ?? 0;
  const graceSeconds = pod.spec.terminationGracePeriodSeconds ?? GRACE_SECONDS_DEFAULT;
  const made = queueProxyContainer(revision, settings);
  const sidecar = { ...made, env: [...(made.env ?? []), tellsActivators], securityContext: SECURITY };
  return {
    kind: "patch",
    operations: [
      ...toldPort(serving, `/spec/containers/${at}`, userPort(revision.spec)),
      ...(serving.readinessProbe === undefined || serving.readinessProbe.exec !== undefined
        ? []
        : [{ op: "remove", path: `/spec/containers/${at}/readinessProbe` } as const]),
      ...waitsForDrain(serving, `/spec/containers/${at}`),
      ...(graceSeconds >= timeoutSeconds ? [] : [add("/spec/terminationGracePeriodSeconds", timeoutSeconds)]),
      ...namedDefault(pod, serving.name),
      add("/spec/containers/-", sidecar),
    ],
  };
}

function servingAt(containers: readonly Container[], named: string | undefined): number {
  return named === undefined
    ? servingIndexOrFirst(containers)
    : containers.findIndex(({ name }) => name === named);
}

/** The pod as the revision it is one of, so that its sidecar is what a revision's would be. C-53, C-54 */
function asRevision(
  { spec }: Pod,
  { metadata, spec: { containerConcurrency, protocolType } }: Stored<PodAutoscaler>,
  { at, settings }: { readonly at: number; readonly settings: Settings },
): Stored<Revision> {
  const given = Number(metadata.annotations?.[rouse.port] ?? 0);
  const timeoutMs = parseDuration(metadata.annotations?.[rouse.timeout] ?? "");
  const port = given > 0 ? given : spec.containers[at]?.ports?.[0]?.containerPort;
  const name = protocolType === "h2c" ? "h2c" : "http1";
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata,
    spec: {
      containers: spec.containers.map(({ ports: _, ...container }, index) =>
        index === at ? { ...container, ports: [{ name, containerPort: port ?? 0 }] } : container,
      ),
      containerConcurrency: containerConcurrency ?? settings.defaults.containerConcurrency,
      timeoutSeconds:
        timeoutMs === undefined ? settings.defaults.timeoutSeconds : Math.ceil(timeoutMs / 1_000),
    },
  };
}

function isOfSidecar({ containerPort }: { readonly containerPort: number }): boolean {
  return SIDECAR_PORTS.has(containerPort);
}

function toldPort({ env }: Container, path: string, port: number): readonly JsonPatchOperation[] {
  if (env?.some(({ name }) => name === "PORT") === true) return [];
  const variable = { name: "PORT", value: String(port) };
  return [env === undefined ? add(`${path}/env`, [variable]) : add(`${path}/env/-`, variable)];
}

/** a hook of its own stays, and has to wait by itself. */
function waitsForDrain({ lifecycle }: GivenContainer, path: string): readonly JsonPatchOperation[] {
  if (lifecycle?.preStop !== undefined) return [];
  const preStop = { httpGet: { port: ports.queueAdmin, path: "/wait-for-drain" } };
  return [
    lifecycle === undefined
      ? add(`${path}/lifecycle`, { preStop })
      : add(`${path}/lifecycle/preStop`, preStop),
  ];
}

/** For `kubectl logs`: of two containers it is the user's that is meant. */
function namedDefault({ metadata }: Pod, name: string): readonly JsonPatchOperation[] {
  if (metadata.annotations === undefined) {
    return [add("/metadata/annotations", { [annotations.defaultContainer]: name })];
  }
  if (metadata.annotations[annotations.defaultContainer] !== undefined) return [];
  return [add(`/metadata/annotations/${annotations.defaultContainer.replaceAll("/", "~1")}`, name)];
}

function add(path: string, value: unknown): JsonPatchOperation {
  return { op: "add", path, value };
}

function refused(message: string): Verdict {
  return { kind: "refuse", message };
}
