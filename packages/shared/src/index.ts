export { type Admission, BreakerCore, type BreakerLimits } from "./breaker/breaker-core.ts";
export { type Waiter, WaitQueue } from "./breaker/wait-queue.ts";
export { type Authority, issueCertificate, makeAuthority } from "./certificate/make-certificate.ts";
export {
  type Clock,
  httpDate,
  type MonoMs,
  parseRfc3339,
  rfc3339,
  rfc3339Millis,
  type WallMs,
} from "./clock/clock.ts";
export { monoFromSystem, monoOriginMs, RealClock } from "./clock/real-clock.ts";
export { TimerWheel, WheelTimer } from "./clock/timer-wheel.ts";
export { VirtualClock } from "./clock/virtual-clock.ts";
export {
  Deadline,
  type DurationLimits,
  type ExceededLimit,
  LimitDuration,
  type LimitDurationOptions,
} from "./deadline/limit-duration.ts";
export { type ErrorCode, httpStatus, ProxyError, type ProxyErrorOptions } from "./errors/proxy-error.ts";
export { chain, type Handler, type Layer } from "./http/chain.ts";
export type {
  ClientPeer,
  Exchange,
  ExchangeObserver,
  ExchangeOutcome,
  ExchangeState,
  ForwardFailure,
  ForwardFailureHandler,
  HeadFields,
  HttpVersion,
  LocalResponse,
  RequestHead,
  ResponseHead,
  Upstream,
} from "./http/exchange.ts";
export { type Connections, type Listener, type Network, sockets } from "./http/network.ts";
export { outcomeStatus } from "./http/outcome-status.ts";
export {
  PlainServer,
  pathNotFound,
  plainText,
} from "./http/plain-server.ts";
export {
  type DrainOptions,
  HttpServer,
  type HttpServerDeps,
  type HttpServerOptions,
} from "./http/server.ts";
export type { ServerCertificate, TlsSettings } from "./http/tls/tls-listener.ts";
export {
  parseTlsVariables,
  TlsVariableError,
  type TlsVariables,
  tlsVariables,
} from "./http/tls/tls-variables.ts";
export type { UpstreamTls } from "./http/tls/upstream-tls.ts";
export { UpstreamPool, type UpstreamPoolDeps, type UpstreamPoolOptions } from "./http/upstream-pool.ts";

export { IdleMemory, type IdleMemoryOptions } from "./idle-memory.ts";
export { assert, InvariantError, unreachable } from "./invariant.ts";
export {
  type AutoscalingLimits,
  type FoundAnnotation,
  findAutoscaling,
  validateAutoscalingAnnotations,
} from "./knative/autoscaling-annotations.ts";
export { childName } from "./knative/child-name.ts";
export { consistentSubset } from "./knative/consistent-subset.ts";
export { formatDuration, parseDuration } from "./knative/duration.ts";
export { type FieldError, fieldErrors, fieldErrorText, under } from "./knative/field-error.ts";
export { JsonObject } from "./knative/json-object.ts";
export {
  ACTIVATOR_SERVICE,
  annotations,
  autoscaling,
  EACH_ACTIVATOR_SERVICE,
  HEALTH_PATH,
  headers,
  labels,
  PORT_PER_POD,
  PROXIED_BY_ACTIVATOR,
  portNames,
  ports,
  probeAgents,
  probeValues,
  QUEUE_PROXY_CONTAINER,
  READY_AGENT,
  READY_PATH,
  ROUSE_INGRESS_CLASS,
  rouse,
  SYSTEM_NAMESPACE,
} from "./knative/names.ts";
export { validateNetworkingAnnotations } from "./knative/networking-annotations.ts";
export { servingIndex, servingIndexOrFirst } from "./knative/serving-container.ts";
export {
  type DeleteOptions,
  isKubeError,
  type JsonPatchOperation,
  type KubeClient,
  KubeError,
  type KubeErrorReason,
  type ListQuery,
  type ObjectList,
  type Patch,
  type StatusCause,
  type StatusDetails,
  type Subresource,
  type WatchEvent,
  type WatchSink,
} from "./kube/client.ts";
export {
  type Condition,
  type ConditionChange,
  ConditionSet,
  type ConditionStatus,
  findCondition,
} from "./kube/conditions.ts";
export { parseElectionConfig, readElectionConfig } from "./kube/election/election-config.ts";
export { LeaseElections, type LeaseElectionsDeps } from "./kube/election/lease-elections.ts";
export {
  defaultElectionConfig,
  type ElectionConfig,
  identityText,
  parseIdentity,
} from "./kube/election/lease-record.ts";
export { type EventNote, EventRecorder, type EventRecorderDeps } from "./kube/event-recorder.ts";
export {
  type EndpointsFollower,
  type EndpointsSource,
  followEndpoints,
  parseEndpointsSource,
} from "./kube/follow-endpoints.ts";
export { type ApiServerAddress, parseServerUrl } from "./kube/http/api-server.ts";
export { inClusterServer, kubeconfigServer } from "./kube/http/credentials.ts";
export { findServer } from "./kube/http/find-server.ts";
export { HttpKubeClient, type HttpKubeClientDeps } from "./kube/http/http-kube-client.ts";
export { parseKubeconfig } from "./kube/http/kubeconfig-text.ts";
export { Informer, type InformerDeps, type InformerHandler, type Lister } from "./kube/informer.ts";
export {
  MutatingWebhookConfigurationKind,
  ValidatingWebhookConfigurationKind,
  type WebhookConfiguration,
} from "./kube/kinds/admission.ts";
export {
  type HorizontalPodAutoscaler,
  HorizontalPodAutoscalerKind,
  type HpaMetric,
  type HpaMetricStatus,
} from "./kube/kinds/autoscaling.ts";
export { type Lease, LeaseKind } from "./kube/kinds/coordination.ts";
export {
  type ConfigMap,
  ConfigMapKind,
  type Container,
  type ContainerPort,
  type ContainerState,
  type ContainerStatus,
  type Deployment,
  DeploymentKind,
  type EndpointAddress,
  type EndpointPort,
  type EndpointSubset,
  type Endpoints,
  EndpointsKind,
  type EnvFromSource,
  type EnvVar,
  type EnvVarSource,
  EventKind,
  type KeySelector,
  type KubeEvent,
  type Namespace,
  NamespaceKind,
  type Pod,
  PodKind,
  type PodSpec,
  type PodStatus,
  type PodTemplate,
  type Probe,
  type Secret,
  SecretKind,
  type Service,
  ServiceKind,
  type ServicePort,
  type TerminatedState,
  type Volume,
  type VolumeMount,
} from "./kube/kinds/core.ts";
export { type EndpointSlice, EndpointSliceKind } from "./kube/kinds/discovery.ts";
export { CustomResourceDefinitionKind, NodeKind, ReplicaSetKind } from "./kube/kinds/hosted.ts";
export {
  type ClusterDomainClaim,
  ClusterDomainClaimKind,
  type Ingress,
  IngressKind,
  type IngressPath,
  type IngressRule,
  type IngressSplit,
  type IngressTls,
  type LoadBalancer,
  type Metric,
  MetricKind,
  type PodAutoscaler,
  PodAutoscalerKind,
  type ProtocolType,
  type ScaleTargetRef,
  type ServerlessService,
  ServerlessServiceKind,
} from "./kube/kinds/internal.ts";
export { allKinds, isBuiltIn, KindRegistry, resourceName } from "./kube/kinds/registry.ts";
export {
  type Configuration,
  ConfigurationKind,
  type ConfigurationStatus,
  type DomainMapping,
  DomainMappingKind,
  type KnativeService,
  KnativeServiceKind,
  type Revision,
  RevisionKind,
  type RevisionSpec,
  type RevisionTemplate,
  type Route,
  RouteKind,
  type RouteStatus,
  type TrafficTarget,
} from "./kube/kinds/serving.ts";
export {
  apiVersion,
  controllerOf,
  isControlledBy,
  type Kind,
  type KubeObject,
  type ManagedFields,
  type ObjectKey,
  type ObjectMeta,
  type ObjectRef,
  type OwnerReference,
  objectKey,
  objectRef,
  type Stored,
  type StoredMeta,
} from "./kube/object.ts";
export { formatMilli, parseMilli, parseQuantity } from "./kube/quantity.ts";
export {
  done,
  type Pass,
  ReconcileLoop,
  type ReconcileLoopDeps,
  type ReconcileLoopOptions,
  type Reconciler,
} from "./kube/reconcile-loop.ts";
export { type LabelRequirement, matchesLabels, parseLabelSelector, selectorText } from "./kube/selector.ts";
export { sameState, semanticEqual } from "./kube/semantic-equal.ts";
export { type AdmissionRequest, admitAll, type ObjectAdmission } from "./kube/store/admission.ts";
export {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  immutableMetadata,
  invalid,
  invalidValue,
  noSuchResource,
  notFound,
} from "./kube/store/errors.ts";
export { isSameJson } from "./kube/store/frozen-copy.ts";
export { GarbageCollector } from "./kube/store/garbage-collector.ts";
export { InProcessKubeClient } from "./kube/store/in-process-client.ts";
export { type ChangeRecord, type Journal, type JournalRecord, noJournal } from "./kube/store/journal.ts";
export { applyJsonPatch } from "./kube/store/json-patch.ts";
export { applyMergePatch } from "./kube/store/merge-patch.ts";
export { uuidV4 } from "./kube/store/metadata.ts";
export { NamespaceCleaner } from "./kube/store/namespace-cleaner.ts";
export {
  ObjectStore,
  type ObjectStoreDeps,
  type ObjectStoreOptions,
  type WriteOptions,
} from "./kube/store/object-store.ts";
export { compileQuery } from "./kube/store/query.ts";
export { StoreWatch, type StoreWatchSink } from "./kube/store/store-watch.ts";
export {
  type AnyObject,
  isJsonMap,
  type JsonMap,
  memberAt,
  memberOf,
  type StoredObject,
} from "./kube/store/stored-object.ts";
export { validateMetadata } from "./kube/store/validate-metadata.ts";
export { writeStatus } from "./kube/write-status.ts";
export { JsonLogger, type JsonLoggerOptions } from "./log/json-logger.ts";
export { LineWriter } from "./log/line-writer.ts";
export { type LogFields, type Logger, silentLogger } from "./log/logger.ts";
export { type LoggingConfig, levelOf, parseLogging } from "./log/logging-config.ts";
export { EXPOSITION_CONTENT_TYPE, exposition } from "./metrics/exposition.ts";
export {
  BYTES_BOUNDS,
  type Family,
  OLD_MS_BOUNDS,
  type Sample,
  SECONDS_BOUNDS,
} from "./metrics/family.ts";
export { Histogram, type HistogramSeries } from "./metrics/histogram.ts";
export type { Labels } from "./metrics/labels.ts";
export { processMetrics, targetInfo } from "./metrics/process-metrics.ts";
export { metricsText, startPrometheusListener } from "./metrics/prometheus-listener.ts";
export {
  type PrometheusTls,
  parsePrometheusTls,
  prometheusTlsOptions,
} from "./metrics/prometheus-tls.ts";
export { addressLabels, methodLabel, ToldHosts } from "./metrics/request-labels.ts";
export {
  needsOpenTelemetry,
  type Telemetry,
  type TelemetryOptions,
  type TelemetrySettings,
} from "./metrics/telemetry-options.ts";
export { attempt } from "./probe/attempt.ts";
export type { AttemptOptions, AttemptResult } from "./probe/attempt-result.ts";
export { type AwaitReadyOptions, awaitReady } from "./probe/await-ready.ts";
export { type ProbeDefaults, type ProbeTarget, probeTarget } from "./probe/probe-target.ts";
export { type Random, RealRandom, SeededRandom } from "./random.ts";
export { DEFAULT_REQUEST_LOG_TEMPLATE } from "./request-log/default-template.ts";
export type { LogRevision } from "./request-log/log-record.ts";
export { parseRequestLogTemplate, RequestLog, type RequestLogDeps } from "./request-log/request-log.ts";
export { TemplateError } from "./request-log/template/template.ts";
export {
  type Endpoint,
  endpoint,
  endpointAddress,
  type RevisionKey,
  revisionKey,
} from "./revision.ts";
export type { ReportKind, Stat, StatMessage, StatSink } from "./stat/stat.ts";
export {
  decodeStat,
  decodeStatMessages,
  encodeStat,
  encodeStatMessages,
  STAT_CONTENT_TYPE,
} from "./stat/stat-wire.ts";
export { LinearWindow } from "./window/linear-window.ts";
export { panicWindowSeconds } from "./window/panic-window.ts";
export type { AggregationAlgorithm, TimedWindow } from "./window/timed-window.ts";
export { decayCoefficient, WeightedWindow } from "./window/weighted-window.ts";
