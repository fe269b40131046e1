/**
 * Names other software relies on, byte for byte. HTTP header names are in the spelling we send; compare them without
 * case. Our own additions start with `rouse.dev/`. Sources: Q-17..Q-24, K-15..K-19, S-9, C §3.
 */
export const headers = {
  networkProbe: "K-Network-Probe",
  networkHash: "K-Network-Hash",
  kubeletProbe: "K-Kubelet-Probe",
  proxyRequest: "K-Proxy-Request",
  originalHost: "K-Original-Host",
  passthroughLb: "K-Passthrough-Lb",
  revision: "Knative-Serving-Revision",
  namespace: "Knative-Serving-Namespace",
  tag: "Knative-Serving-Tag",
  defaultRoute: "Knative-Serving-Default-Route",
  /** Ours. On a 503 of a queue-proxy: the program was never given this request, so it may go to another pod. */
  notStarted: "Rouse-Not-Started",
} as const;

/** Values of `K-Network-Probe`, and what `K-Proxy-Request` carries when an activator forwarded the request. */
export const probeValues = { queue: "queue", activator: "activator", network: "probe" } as const;
export const PROXIED_BY_ACTIVATOR = "activator";

/** Beginnings of the `User-Agent` by which a probe is known. */
export const probeAgents = {
  kubelet: "kube-probe/",
  activator: "Knative-Activator-Probe",
  autoscaler: "Knative-Autoscaling-Probe",
  ingress: "Knative-Ingress-Probe",
} as const;

/** Ports of the contract: Q §1, K-15..K-17. */
export const ports = {
  serviceHttp: 80,
  serviceH2c: 81,
  serviceHttps: 443,
  queueHttp: 8012,
  queueH2c: 8013,
  queueHttps: 8112,
  queueAdmin: 8022,
  autoscalerMetrics: 9090,
  userMetrics: 9091,
} as const;

export const portNames = {
  http: "http",
  h2c: "http2",
  https: "https",
  queue: "queue-port",
  autoscalerMetrics: "http-autometric",
  userMetrics: "http-usermetric",
} as const;

const SERVING = "serving.knative.dev";
const NETWORKING_INTERNAL = "networking.internal.knative.dev";
const AUTOSCALING = "autoscaling.knative.dev";

export const labels = {
  service: `${SERVING}/service`,
  serviceUid: `${SERVING}/serviceUID`,
  configuration: `${SERVING}/configuration`,
  configurationUid: `${SERVING}/configurationUID`,
  configurationGeneration: `${SERVING}/configurationGeneration`,
  revision: `${SERVING}/revision`,
  revisionUid: `${SERVING}/revisionUID`,
  route: `${SERVING}/route`,
  routeNamespace: `${SERVING}/routeNamespace`,
  routingState: `${SERVING}/routingState`,
  serverlessService: `${NETWORKING_INTERNAL}/serverlessservice`,
  serviceType: `${NETWORKING_INTERNAL}/serviceType`,
  visibility: "networking.knative.dev/visibility",
  app: "app",
} as const;

export const annotations = {
  creator: `${SERVING}/creator`,
  lastModifier: `${SERVING}/lastModifier`,
  routes: `${SERVING}/routes`,
  routingStateModified: `${SERVING}/routingStateModified`,
  progressDeadline: `${SERVING}/progress-deadline`,
  ingressClass: "networking.knative.dev/ingress.class",
  defaultContainer: "kubectl.kubernetes.io/default-container",
  lastApplied: "kubectl.kubernetes.io/last-applied-configuration",
} as const;

/** S-9 and the table behind it. `alternates` lists the second spelling a key may have. */
export const autoscaling = {
  prefix: AUTOSCALING,
  class: `${AUTOSCALING}/class`,
  metric: `${AUTOSCALING}/metric`,
  target: `${AUTOSCALING}/target`,
  targetUtilizationPercentage: `${AUTOSCALING}/target-utilization-percentage`,
  targetBurstCapacity: `${AUTOSCALING}/target-burst-capacity`,
  minScale: `${AUTOSCALING}/min-scale`,
  maxScale: `${AUTOSCALING}/max-scale`,
  initialScale: `${AUTOSCALING}/initial-scale`,
  activationScale: `${AUTOSCALING}/activation-scale`,
  scaleDownDelay: `${AUTOSCALING}/scale-down-delay`,
  scaleToZeroPodRetentionPeriod: `${AUTOSCALING}/scale-to-zero-pod-retention-period`,
  window: `${AUTOSCALING}/window`,
  panicWindowPercentage: `${AUTOSCALING}/panic-window-percentage`,
  panicThresholdPercentage: `${AUTOSCALING}/panic-threshold-percentage`,
  metricAggregationAlgorithm: `${AUTOSCALING}/metric-aggregation-algorithm`,
  kpaClass: "kpa.autoscaling.knative.dev",
  hpaClass: "hpa.autoscaling.knative.dev",
} as const;

/** Our own annotations. Design §7, §9. */
export const rouse = {
  /** A shell line to run instead of an image, on the revision template. */
  command: "rouse.dev/command",
  /** `"true"` on a PodAutoscaler nobody owns: its Deployment is scaled from zero, its pods get a queue-proxy. */
  inject: "rouse.dev/inject",
  /** On such a PodAutoscaler: which container answers requests, on which port, and how long it may take. */
  container: "rouse.dev/container",
  port: "rouse.dev/port",
  timeout: "rouse.dev/timeout",
  /** `kubernetes`: no pod is used before Kubernetes calls it ready. */
  readyBy: "rouse.dev/ready-by",
  /** On a Deployment that is scaled from zero: how many replicas it had before. */
  replicasBefore: "rouse.dev/replicas-before",
  /** `"true"`: the program listens on its own fixed port, so there can be one pod. */
  fixedPort: "rouse.dev/fixed-port",
  /** Longest time a request is held for this revision, as a Go duration. */
  maxWait: "rouse.dev/max-wait",
  /** How requests are shared out among pods: `least-loaded`; anything else is the contract's policy. */
  loadBalancing: "rouse.dev/load-balancing",
  /** `"enabled"`: answers say in `Server-Timing` what their requests waited for. */
  serverTiming: "rouse.dev/server-timing",
  /** When to keep how many pods: see the autoscaler's `schedule/`. */
  schedule: "rouse.dev/schedule",
  /** Directory relative paths of the manifest are resolved from; set by `rouse up` and `rouse apply`. */
  directory: "rouse.dev/directory",
  /** `by-variable`: the program looks for its volumes in `ROUSE_VOLUME_<NAME>`, not at their mount paths. */
  volumes: "rouse.dev/volumes",
  /** Port of this pod's queue-proxy where all pods share one address; set by the kubelet. */
  queuePort: "rouse.dev/queue-port",
  /** Port the pod's program was told to listen on (`PORT`); set by the kubelet. */
  userPort: "rouse.dev/user-port",
} as const;

/** Value of `rouse.queuePort` on Endpoints whose pods share one address: each subset has its own port. */
export const PORT_PER_POD = "per-pod";
export const SYSTEM_NAMESPACE = "knative-serving";
/** Name of the Service and Endpoints of the activators in the system namespace. K-31. */
export const ACTIVATOR_SERVICE = "activator-service";
/** Headless, so that its name stands for each activator: who has news for all of them. On plain Kubernetes. */
export const EACH_ACTIVATOR_SERVICE = "activator-each";
/** Name of the sidecar container in every revision pod. Q-1. */
export const QUEUE_PROXY_CONTAINER = "queue-proxy";
/** Path used by readiness questions among the components. */
export const HEALTH_PATH = "/healthz";
/**
 * Where activators are told by a sidecar that its program is ready: a `POST` without a body, with `namespace`,
 * `revision` and `endpoint` (`ip:port`) in the query and this agent. To be believed of the address it comes from alone.
 * Design §5.
 */
export const READY_AGENT = "Rouse-Queue-Proxy";
export const READY_PATH = "/rouse.dev/ready";
/** Class of the Ingresses our gateway serves, unless config-network names another one. C-104. */
export const ROUSE_INGRESS_CLASS = "rouse.ingress.networking.knative.dev";
