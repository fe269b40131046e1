import {
  type EndpointAddress,
  type EndpointPort,
  type EndpointSubset,
  findCondition,
  type Pod,
  portNames,
  ports,
  rouse,
  type Service,
  type ServicePort,
  type Stored,
} from "@rouse/shared";

export interface ServiceEndpoints {
  readonly subsets: readonly EndpointSubset[];
  /** Some pod is told apart by its port and not by its address. */
  readonly isPerPod: boolean;
}

/**
 * The subsets of a Service over the pods its selector matches: ready pods in `addresses`, others in
 * `notReadyAddresses`, pods that are terminating, finished or without an address in neither. Pods whose ports resolve
 * alike share a subset; subsets and addresses are sorted, so that equal input gives equal output. K-24.
 */
export function endpointSubsets(service: Service, pods: Iterable<Stored<Pod>>): ServiceEndpoints {
  const groups = new Map<string, Group>();
  let isPerPod = false;
  for (const pod of pods) {
    const ip = pod.status?.podIP;
    if (ip === undefined || pod.metadata.deletionTimestamp !== undefined || isFinished(pod)) continue;
    isPerPod ||= pod.metadata.annotations?.[rouse.queuePort] !== undefined;
    const resolved = (service.spec.ports ?? []).flatMap((port) => resolvePort(port, pod));
    const key = JSON.stringify(resolved);
    const group = groups.get(key) ?? { key, ports: resolved, ready: [], notReady: [] };
    groups.set(key, group);
    (isReady(pod) ? group.ready : group.notReady).push(addressOf(pod, ip));
  }
  const sorted = [...groups.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  return { subsets: sorted.map(subsetOf), isPerPod };
}

interface Group {
  readonly key: string;
  readonly ports: readonly EndpointPort[];
  readonly ready: EndpointAddress[];
  readonly notReady: EndpointAddress[];
}

function subsetOf(group: Group): EndpointSubset {
  return {
    ...(group.ready.length === 0 ? {} : { addresses: group.ready.sort(byAddress) }),
    ...(group.notReady.length === 0 ? {} : { notReadyAddresses: group.notReady.sort(byAddress) }),
    ...(group.ports.length === 0 ? {} : { ports: group.ports }),
  };
}

/** None when the target is a name the pod does not have: that port is left out for this pod, as in Kubernetes. */
function resolvePort(port: ServicePort, pod: Pod): readonly EndpointPort[] {
  const number = targetNumber(port, pod);
  if (number === undefined) return [];
  return [
    {
      ...(port.name === undefined ? {} : { name: port.name }),
      port: number,
      protocol: port.protocol ?? "TCP",
      ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
    },
  ];
}

function targetNumber(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  const ownQueuePort = pod.metadata.annotations?.[rouse.queuePort];
  if (ownQueuePort !== undefined && isQueuePort(target)) return Number(ownQueuePort);
  if (typeof target === "number") return target;
  for (const container of pod.spec.containers) {
    const named = container.ports?.find((candidate) => candidate.name === target);
    if (named !== undefined) return named.containerPort;
  }
  return undefined;
}

function isQueuePort(target: number | string): boolean {
  return target === ports.queueHttp || target === ports.queueH2c || target === portNames.queue;
}

function addressOf(pod: Stored<Pod>, ip: string): EndpointAddress {
  const { namespace, name, uid } = pod.metadata;
  const { nodeName } = pod.spec;
  return {
    ip,
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: { kind: "Pod", namespace, name, uid },
  };
}

function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  const left = `${a.ip} ${a.targetRef?.name ?? ""}`;
  const right = `${b.ip} ${b.targetRef?.name ?? ""}`;
  return left < right ? -1 : 1;
}

function isReady(pod: Pod): boolean {
  return findCondition(pod.status?.conditions, "Ready")?.status === "True";
}

function isFinished(pod: Pod): boolean {
  return pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded";
}
