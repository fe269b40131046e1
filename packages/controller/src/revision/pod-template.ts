import {
  annotations,
  type Container,
  type EnvVar,
  labels,
  type PodSpec,
  type PodTemplate,
  type Probe,
  ports,
  type Revision,
  type Stored,
  servingIndexOrFirst,
} from "@rouse/shared";
import type { Settings } from "../settings/settings.ts";
import { childLabels, deploymentAnnotations } from "./propagated-metadata.ts";
import { queueProxyContainer } from "./queue-proxy-container.ts";
import { servingContainer, userPort } from "./user-port.ts";

/** Kubernetes fields of a pod that only the pod template sets. */
interface TemplateSpec extends PodSpec {
  readonly enableServiceLinks: boolean;
  readonly affinity?: unknown;
}

/** Kubernetes fields of a container that only the pod template sets. */
interface TemplateContainer extends Container {
  readonly lifecycle?: unknown;
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly terminationMessagePolicy?: string;
}

/** The pods of a Revision: the user's containers, then queue-proxy. C-51…C-54. */
export function makePodTemplate(revision: Stored<Revision>, settings: Settings): PodTemplate {
  const { containerConcurrency: _, timeoutSeconds, ...rest } = revision.spec;
  const { responseStartTimeoutSeconds: __, idleTimeoutSeconds: ___, ...podSpec } = rest;
  const serving = servingIndexOrFirst(revision.spec.containers);
  const spec: TemplateSpec = {
    enableServiceLinks: false,
    ...(settings.deployment.spreadsPods ? { affinity: apartFromEachOther(revision.metadata.name) } : {}),
    ...podSpec,
    terminationGracePeriodSeconds: timeoutSeconds ?? 0,
    containers: [
      ...revision.spec.containers.map((container, index) =>
        userContainer(container, revision, { isServing: index === serving, settings }),
      ),
      queueProxyContainer(revision, settings),
    ],
  };
  return {
    metadata: {
      labels: childLabels(revision),
      annotations: {
        ...deploymentAnnotations(revision),
        [annotations.defaultContainer]: servingContainer(revision.spec)?.name ?? "",
      },
    },
    spec,
  };
}

/** C-52. */
function userContainer(
  container: Container,
  revision: Stored<Revision>,
  { isServing, settings }: { readonly isServing: boolean; readonly settings: Settings },
): TemplateContainer {
  const { ports: _, readinessProbe, livenessProbe, ...rest } = container;
  const given: TemplateContainer = rest;
  const port = userPort(revision.spec);
  const imageDigest = revision.status?.containerStatuses?.find(
    ({ name }) => name === container.name,
  )?.imageDigest;
  return {
    ...given,
    ...(imageDigest === undefined ? {} : { image: imageDigest }),
    env: [...(container.env ?? []), ...contractEnvironment(revision, isServing ? port : undefined)],
    ...(isServing ? { ports: [{ name: "user-port", containerPort: port, protocol: "TCP" }] } : {}),
    // queue-proxy asks the other kinds; only an exec has to run inside the container.
    ...(readinessProbe?.exec === undefined ? {} : { readinessProbe }),
    ...(livenessProbe === undefined
      ? {}
      : {
          livenessProbe: isServing
            ? atUserPort(livenessProbe, port, settings.features.multiContainerProbing)
            : livenessProbe,
        }),
    lifecycle: { preStop: { httpGet: { port: ports.queueAdmin, path: "/wait-for-drain" } } },
    stdin: false,
    tty: false,
    terminationMessagePolicy: given.terminationMessagePolicy ?? "FallbackToLogsOnError",
  };
}

function contractEnvironment(revision: Stored<Revision>, port: number | undefined): readonly EnvVar[] {
  const { metadata } = revision;
  return [
    ...(port === undefined ? [] : [{ name: "PORT", value: String(port) }]),
    { name: "K_REVISION", value: metadata.name },
    { name: "K_CONFIGURATION", value: metadata.labels?.[labels.configuration] ?? "" },
    { name: "K_SERVICE", value: metadata.labels?.[labels.service] ?? "" },
  ];
}

/** With multi-container-probing a port that is given as a number stays. C-52 */
function atUserPort(probe: Probe, port: number, keepsNumbers: boolean): Probe {
  const { httpGet, tcpSocket } = probe;
  const isKept = (given: number | string | undefined): boolean =>
    keepsNumbers && typeof given === "number" && given !== 0;
  if (httpGet !== undefined && !isKept(httpGet.port)) return { ...probe, httpGet: { ...httpGet, port } };
  if (tcpSocket !== undefined && !isKept(tcpSocket.port)) {
    return { ...probe, tcpSocket: { ...tcpSocket, port } };
  }
  return probe;
}

/** Rather on another node than a pod of the same revision. C-51 */
function apartFromEachOther(revision: string): unknown {
  const podAffinityTerm = {
    topologyKey: "kubernetes.io/hostname",
    labelSelector: { matchLabels: { [labels.revision]: revision } },
  };
  return {
    podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] },
  };
}
