import { isJsonMap, type Kind, type KubeObject, memberAt, memberOf } from "@rouse/shared";
import { type Draft, draftOf, fill, isDraft, mapIn, mapsIn } from "./draft.ts";

/** Numbers of this home that Services are given. */
export interface Allocator {
  clusterIp(): string;
  nodePort(): number;
}

/** What the reference fills in where a client said nothing. Works on `draft`. P-60…P-65 */
export function applyDefaults(
  kind: Kind<KubeObject>,
  draft: Draft,
  context: { readonly before: KubeObject | undefined; readonly allocator: Allocator },
): void {
  switch (kind.kind) {
    case "Service":
      defaultService(draft, context.before, context.allocator);
      return;
    case "Pod":
      defaultPodSpec(mapIn(draft, "spec"));
      if (context.before === undefined) fill(mapIn(draft, "status"), "qosClass", qosClass(draft));
      return;
    case "Secret":
      defaultSecret(draft);
      return;
    case "Deployment":
      defaultDeployment(mapIn(draft, "spec"));
      return;
    case "ReplicaSet":
      fill(mapIn(draft, "spec"), "replicas", 1);
      defaultTemplate(mapIn(draft, "spec"));
      return;
    case "Endpoints":
      for (const subset of mapsIn(draft, "subsets")) defaultPorts(subset, "ports");
      return;
    case "EndpointSlice":
      for (const port of mapsIn(draft, "ports")) {
        port.name ??= "";
        fill(port, "protocol", "TCP");
      }
      return;
    default:
  }
}

function defaultService(draft: Draft, before: KubeObject | undefined, allocator: Allocator): void {
  const spec = mapIn(draft, "spec");
  fill(spec, "type", "ClusterIP");
  fill(spec, "sessionAffinity", "None");
  for (const port of mapsIn(spec, "ports")) {
    fill(port, "protocol", "TCP");
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "")
      port.targetPort = port.port;
  }
  if (spec.type === "ExternalName") return;
  fill(spec, "internalTrafficPolicy", "Cluster");
  fill(spec, "ipFamilies", ["IPv4"]);
  fill(spec, "ipFamilyPolicy", "SingleStack");
  const had = memberAt(before, "spec.clusterIP");
  fill(spec, "clusterIP", typeof had === "string" && had !== "" ? had : undefined);
  if (!spec.clusterIP && mapsIn(spec, "ports").length > 0) spec.clusterIP = allocator.clusterIp();
  if (spec.clusterIP) fill(spec, "clusterIPs", [spec.clusterIP]);
  if (spec.type !== "NodePort" && spec.type !== "LoadBalancer") return;
  fill(spec, "externalTrafficPolicy", "Cluster");
  if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
  for (const port of mapsIn(spec, "ports")) if (!port.nodePort) port.nodePort = allocator.nodePort();
}

function defaultSecret(draft: Draft): void {
  fill(draft, "type", "Opaque");
  const { stringData } = draft;
  delete draft.stringData;
  if (!isJsonMap(stringData)) return;
  const data = mapIn(draft, "data");
  for (const [key, value] of Object.entries(stringData)) {
    data[key] = Buffer.from(String(value)).toString("base64");
  }
}

function defaultDeployment(spec: Draft): void {
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  const strategy = mapIn(spec, "strategy");
  fill(strategy, "type", "RollingUpdate");
  if (strategy.type === "RollingUpdate") {
    const rolling = mapIn(strategy, "rollingUpdate");
    rolling.maxUnavailable ??= "25%";
    rolling.maxSurge ??= "25%";
  }
  defaultTemplate(spec);
}

function defaultTemplate(spec: Draft): void {
  defaultPodSpec(mapIn(mapIn(spec, "template"), "spec"));
}

function defaultPodSpec(spec: Draft): void {
  fill(spec, "restartPolicy", "Always");
  fill(spec, "dnsPolicy", "ClusterFirst");
  fill(spec, "schedulerName", "default-scheduler");
  spec.terminationGracePeriodSeconds ??= 30;
  mapIn(spec, "securityContext");
  if (typeof spec.terminationGracePeriodSeconds === "number" && spec.terminationGracePeriodSeconds < 0) {
    spec.terminationGracePeriodSeconds = 1;
  }
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) Object.assign(spec, { serviceAccountName: account, serviceAccount: account });
  for (const name of ["initContainers", "containers"]) mapsIn(spec, name).forEach(defaultContainer);
  for (const volume of mapsIn(spec, "volumes")) {
    for (const source of ["configMap", "secret"]) {
      if (isDraft(volume[source])) mapIn(volume, source).defaultMode ??= 420;
    }
  }
}

/** Only a pod itself asks for these; a template may leave them to its pods. */
export function defaultPodAlone(spec: Draft): void {
  spec.enableServiceLinks ??= true;
}

function defaultContainer(container: Draft): void {
  fill(container, "terminationMessagePath", "/dev/termination-log");
  fill(container, "terminationMessagePolicy", "File");
  mapIn(container, "resources");
  const image = String(container.image ?? "");
  const isLatest = image.endsWith(":latest") || !/[:@][^/]*$/.test(image);
  fill(container, "imagePullPolicy", isLatest ? "Always" : "IfNotPresent");
  defaultPorts(container, "ports");
  for (const variable of mapsIn(container, "env")) {
    const reference = memberAt(variable, "valueFrom.fieldRef");
    if (isDraft(reference)) fill(reference, "apiVersion", "v1");
  }
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"]) {
    const probe = container[name];
    if (isDraft(probe)) defaultProbe(probe);
  }
}

function defaultProbe(probe: Draft): void {
  const { timeoutSeconds, periodSeconds, successThreshold, failureThreshold } = probe;
  Object.assign(probe, {
    timeoutSeconds: timeoutSeconds || 1,
    periodSeconds: periodSeconds || 10,
    successThreshold: successThreshold || 1,
    failureThreshold: failureThreshold || 3,
  });
  if (!isDraft(probe.httpGet)) return;
  fill(probe.httpGet, "path", "/");
  fill(probe.httpGet, "scheme", "HTTP");
}

function defaultPorts(draft: Draft, name: string): void {
  for (const port of mapsIn(draft, name)) fill(port, "protocol", "TCP");
}

/** What a pod's requests and limits make of it. */
function qosClass(pod: Draft): string {
  const containers = mapsIn(memberOf(pod, "spec"), "containers");
  const named = containers.map((container) => draftOf({ resources: container.resources ?? {} }));
  const has = (container: Draft, name: string): boolean => {
    const value = memberAt(container, `resources.${name}`);
    return isJsonMap(value) && Object.keys(value).length > 0;
  };
  if (!named.some((container) => has(container, "requests") || has(container, "limits"))) return "BestEffort";
  const isGuaranteed = named.every((container) => {
    const limits = memberAt(container, "resources.limits");
    const requests = memberAt(container, "resources.requests") ?? limits;
    return (
      isJsonMap(limits) &&
      "cpu" in limits &&
      "memory" in limits &&
      JSON.stringify(requests) === JSON.stringify(limits)
    );
  });
  return isGuaranteed ? "Guaranteed" : "Burstable";
}
