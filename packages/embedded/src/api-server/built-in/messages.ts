/**
 * The messages of the compiled-in kinds, from the public description of the Kubernetes API (v1.36): what members there
 * are, of which type, and under which number of the protobuf form (P-130). Written `name:number type`:
 *
 * - `s i b y q t u p`: text, whole number, flag, bytes, quantity, time, time with microseconds, number or text;
 *   a capitalised name: another message; `?`: anything, not looked into and in no protobuf body
 * - `[x]`: list of x; `[x]/key`: a strategic patch merges it by that member, `[s]/`: it is a set (P-53); `{x}`: map
 * - before the type: `*` an empty value is kept, `=` or `!` it is always there, `^` its members are the parent's (P-42)
 */
export const messages: Readonly<Record<string, string>> = {
  ObjectMeta:
    "name:1 s, generateName:2 s, namespace:3 s, selfLink:4 s, uid:5 s, resourceVersion:6 s, generation:7 i, creationTimestamp:8 t, deletionTimestamp:9 t, deletionGracePeriodSeconds:10 *i, labels:11 {s}, annotations:12 {s}, ownerReferences:13 [OwnerReference]/uid, finalizers:14 [s]/, managedFields:17 ?",
  OwnerReference: "apiVersion:5 =s, kind:1 =s, name:3 =s, uid:4 =s, controller:6 *b, blockOwnerDeletion:7 *b",
  ObjectReference:
    "kind:1 s, namespace:2 s, name:3 s, uid:4 s, apiVersion:5 s, resourceVersion:6 s, fieldPath:7 s",
  LocalObjectReference: "name:1 s",
  LabelSelector: "matchLabels:1 {s}, matchExpressions:2 [LabelSelectorRequirement]",
  LabelSelectorRequirement: "key:1 =s, operator:2 =s, values:3 [s]",
  Condition:
    "type:1 =s, status:2 =s, observedGeneration:3 i, lastTransitionTime:4 t, reason:5 s, message:6 s, severity:0 s",

  ConfigMap: "metadata:1 !ObjectMeta, data:2 {s}, binaryData:3 {y}, immutable:4 *b",
  Secret: "metadata:1 !ObjectMeta, data:2 {y}, type:3 s, stringData:4 {s}, immutable:5 *b",
  Namespace: "metadata:1 !ObjectMeta, spec:2 !NamespaceSpec, status:3 !NamespaceStatus",
  NamespaceSpec: "finalizers:1 [s]",
  NamespaceStatus: "phase:1 s, conditions:2 [Condition]/type",
  ServiceAccount:
    "metadata:1 !ObjectMeta, secrets:2 [ObjectReference]/name, imagePullSecrets:3 [LocalObjectReference]/name, automountServiceAccountToken:4 *b",
  Node: "metadata:1 !ObjectMeta, spec:2 !NodeSpec, status:3 !NodeStatus",
  NodeSpec: "podCIDR:1 s, providerID:3 s, unschedulable:4 b, taints:5 [Taint], podCIDRs:7 [s]/",
  Taint: "key:1 =s, value:2 s, effect:3 =s, timeAdded:4 t",
  NodeStatus:
    "capacity:1 {q}, allocatable:2 {q}, phase:3 s, conditions:4 [NodeCondition]/type, addresses:5 [NodeAddress]/type, daemonEndpoints:0 ?, nodeInfo:0 ?, images:0 ?",
  NodeCondition:
    "type:1 =s, status:2 =s, lastHeartbeatTime:3 t, lastTransitionTime:4 t, reason:5 s, message:6 s",
  NodeAddress: "type:1 =s, address:2 =s",

  Service: "metadata:1 !ObjectMeta, spec:2 !ServiceSpec, status:3 !ServiceStatus",
  ServiceSpec:
    "ports:1 [ServicePort]/port, selector:2 {s}, clusterIP:3 s, type:4 s, externalIPs:5 [s], sessionAffinity:7 s, loadBalancerIP:8 s, loadBalancerSourceRanges:9 [s], externalName:10 s, externalTrafficPolicy:11 s, healthCheckNodePort:12 i, publishNotReadyAddresses:13 b, sessionAffinityConfig:14 SessionAffinityConfig, ipFamilyPolicy:17 *s, clusterIPs:18 [s], ipFamilies:19 [s], allocateLoadBalancerNodePorts:20 *b, loadBalancerClass:21 *s, internalTrafficPolicy:22 *s, trafficDistribution:23 *s",
  SessionAffinityConfig: "clientIP:1 ClientIPConfig",
  ClientIPConfig: "timeoutSeconds:1 *i",
  ServicePort: "name:1 s, protocol:2 s, port:3 =i, targetPort:4 p, nodePort:5 i, appProtocol:6 *s",
  ServiceStatus: "loadBalancer:1 !LoadBalancerStatus, conditions:2 [Condition]/type",
  LoadBalancerStatus: "ingress:1 [LoadBalancerIngress]",
  LoadBalancerIngress: "ip:1 s, hostname:2 s, ipMode:3 *s, ports:0 ?",
  Endpoints: "metadata:1 !ObjectMeta, subsets:2 [EndpointSubset]",
  EndpointSubset:
    "addresses:1 [EndpointAddress], notReadyAddresses:2 [EndpointAddress], ports:3 [EndpointPort]",
  EndpointAddress: "ip:1 =s, targetRef:2 ObjectReference, hostname:3 s, nodeName:4 *s",
  EndpointPort: "name:1 s, port:2 =i, protocol:3 s, appProtocol:4 *s",
  Event:
    "metadata:1 !ObjectMeta, involvedObject:2 !ObjectReference, reason:3 s, message:4 s, source:5 !EventSource, firstTimestamp:6 =t, lastTimestamp:7 =t, count:8 i, type:9 s, eventTime:10 =u, series:11 EventSeries, action:12 s, related:13 ObjectReference, reportingComponent:14 =s, reportingInstance:15 =s",
  EventSource: "component:1 s, host:2 s",
  EventSeries: "count:1 i, lastObservedTime:2 u",
  "events.Event":
    "metadata:1 !ObjectMeta, eventTime:2 =u, series:3 EventSeries, reportingController:4 s, reportingInstance:5 s, action:6 s, reason:7 s, regarding:8 !ObjectReference, related:9 ObjectReference, note:10 s, type:11 s, deprecatedSource:12 !EventSource, deprecatedFirstTimestamp:13 =t, deprecatedLastTimestamp:14 =t, deprecatedCount:15 i",

  Pod: "metadata:1 !ObjectMeta, spec:2 !PodSpec, status:3 !PodStatus",
  PodTemplateSpec: "metadata:1 !ObjectMeta, spec:2 !PodSpec",
  PodSpec:
    "volumes:1 [Volume]/name, containers:2 [Container]/name, restartPolicy:3 s, terminationGracePeriodSeconds:4 *i, activeDeadlineSeconds:5 *i, dnsPolicy:6 s, nodeSelector:7 {s}, serviceAccountName:8 s, serviceAccount:9 s, nodeName:10 s, hostNetwork:11 b, hostPID:12 b, hostIPC:13 b, securityContext:14 PodSecurityContext, imagePullSecrets:15 [LocalObjectReference]/name, hostname:16 s, subdomain:17 s, affinity:18 ?, schedulerName:19 s, initContainers:20 [Container]/name, automountServiceAccountToken:21 *b, tolerations:22 [Toleration], hostAliases:23 [HostAlias]/ip, priorityClassName:24 s, priority:25 *i, dnsConfig:26 ?, shareProcessNamespace:27 *b, readinessGates:28 [PodReadinessGate], runtimeClassName:29 *s, enableServiceLinks:30 *b, preemptionPolicy:31 *s, overhead:32 {q}, topologySpreadConstraints:33 ?, ephemeralContainers:34 ?, setHostnameAsFQDN:35 *b, os:36 PodOS, hostUsers:37 *b, schedulingGates:38 [PodSchedulingGate]/name, resourceClaims:0 ?, resources:40 ResourceRequirements, hostnameOverride:41 *s",
  PodOS: "name:1 =s",
  PodSchedulingGate: "name:1 =s",
  PodReadinessGate: "conditionType:1 =s",
  HostAlias: "ip:1 =s, hostnames:2 [s]",
  Toleration: "key:1 s, operator:2 s, value:3 s, effect:4 s, tolerationSeconds:5 *i",
  PodSecurityContext:
    "seLinuxOptions:1 SELinuxOptions, runAsUser:2 *i, runAsNonRoot:3 *b, supplementalGroups:4 [i], fsGroup:5 *i, runAsGroup:6 *i, sysctls:7 [NameValue], windowsOptions:0 ?, fsGroupChangePolicy:9 *s, seccompProfile:10 SeccompProfile, appArmorProfile:11 SeccompProfile, supplementalGroupsPolicy:12 *s, seLinuxChangePolicy:13 *s",
  SELinuxOptions: "user:1 s, role:2 s, type:3 s, level:4 s",
  SeccompProfile: "type:1 =s, localhostProfile:2 *s",
  NameValue: "name:1 =s, value:2 =s",
  Volume: "name:1 =s, volumeSource:2 ^VolumeSource",
  VolumeSource:
    "hostPath:1 HostPathVolumeSource, emptyDir:2 EmptyDirVolumeSource, gcePersistentDisk:0 ?, awsElasticBlockStore:0 ?, gitRepo:0 ?, secret:6 SecretVolumeSource, nfs:0 ?, iscsi:0 ?, glusterfs:0 ?, persistentVolumeClaim:10 PersistentVolumeClaimVolumeSource, rbd:0 ?, flexVolume:0 ?, cinder:0 ?, cephfs:0 ?, flocker:0 ?, downwardAPI:0 ?, fc:0 ?, azureFile:0 ?, configMap:19 ConfigMapVolumeSource, vsphereVolume:0 ?, quobyte:0 ?, azureDisk:0 ?, photonPersistentDisk:0 ?, portworxVolume:0 ?, scaleIO:0 ?, projected:0 ?, storageos:0 ?, csi:0 ?, ephemeral:0 ?, image:0 ?",
  HostPathVolumeSource: "path:1 =s, type:2 *s",
  EmptyDirVolumeSource: "medium:1 s, sizeLimit:2 *q",
  SecretVolumeSource: "secretName:1 s, items:2 [KeyToPath], defaultMode:3 *i, optional:4 *b",
  ConfigMapVolumeSource:
    "localObjectReference:1 ^LocalObjectReference, items:2 [KeyToPath], defaultMode:3 *i, optional:4 *b",
  PersistentVolumeClaimVolumeSource: "claimName:1 =s, readOnly:2 b",
  KeyToPath: "key:1 =s, path:2 =s, mode:3 *i",
  Container:
    "name:1 =s, image:2 s, command:3 [s], args:4 [s], workingDir:5 s, ports:6 [ContainerPort]/containerPort, env:7 [EnvVar]/name, resources:8 !ResourceRequirements, volumeMounts:9 [VolumeMount]/mountPath, livenessProbe:10 Probe, readinessProbe:11 Probe, lifecycle:12 Lifecycle, terminationMessagePath:13 s, imagePullPolicy:14 s, securityContext:15 SecurityContext, stdin:16 b, stdinOnce:17 b, tty:18 b, envFrom:19 [EnvFromSource], terminationMessagePolicy:20 s, volumeDevices:21 [VolumeDevice]/devicePath, startupProbe:22 Probe, resizePolicy:0 ?, restartPolicy:24 *s, restartPolicyRules:0 ?",
  ContainerPort: "name:1 s, hostPort:2 i, containerPort:3 =i, protocol:4 s, hostIP:5 s",
  EnvVar: "name:1 =s, value:2 s, valueFrom:3 EnvVarSource",
  EnvVarSource:
    "fieldRef:1 ObjectFieldSelector, resourceFieldRef:2 ResourceFieldSelector, configMapKeyRef:3 KeySelector, secretKeyRef:4 KeySelector, fileKeyRef:0 ?",
  ObjectFieldSelector: "apiVersion:1 s, fieldPath:2 =s",
  ResourceFieldSelector: "containerName:1 s, resource:2 =s, divisor:3 q",
  KeySelector: "localObjectReference:1 ^LocalObjectReference, key:2 =s, optional:3 *b",
  EnvFromSource: "prefix:1 s, configMapRef:2 EnvSource, secretRef:3 EnvSource",
  EnvSource: "localObjectReference:1 ^LocalObjectReference, optional:2 *b",
  ResourceRequirements: "limits:1 {q}, requests:2 {q}, claims:0 ?",
  VolumeMount:
    "name:1 =s, readOnly:2 b, mountPath:3 =s, subPath:4 s, mountPropagation:5 *s, subPathExpr:6 s, recursiveReadOnly:7 *s",
  VolumeDevice: "name:1 =s, devicePath:2 =s",
  Probe:
    "handler:1 ^ProbeHandler, initialDelaySeconds:2 i, timeoutSeconds:3 i, periodSeconds:4 i, successThreshold:5 i, failureThreshold:6 i, terminationGracePeriodSeconds:7 *i",
  ProbeHandler: "exec:1 ExecAction, httpGet:2 HTTPGetAction, tcpSocket:3 TCPSocketAction, grpc:4 GRPCAction",
  ExecAction: "command:1 [s]",
  HTTPGetAction: "path:1 s, port:2 =p, host:3 s, scheme:4 s, httpHeaders:5 [NameValue]",
  TCPSocketAction: "port:1 =p, host:2 s",
  GRPCAction: "port:1 =i, service:2 *s",
  Lifecycle: "postStart:1 LifecycleHandler, preStop:2 LifecycleHandler, stopSignal:3 *s",
  LifecycleHandler: "exec:1 ExecAction, httpGet:2 HTTPGetAction, tcpSocket:3 TCPSocketAction, sleep:4 Sleep",
  Sleep: "seconds:1 =i",
  SecurityContext:
    "capabilities:1 Capabilities, privileged:2 *b, seLinuxOptions:3 SELinuxOptions, runAsUser:4 *i, runAsNonRoot:5 *b, readOnlyRootFilesystem:6 *b, allowPrivilegeEscalation:7 *b, runAsGroup:8 *i, procMount:9 *s, windowsOptions:0 ?, seccompProfile:11 SeccompProfile, appArmorProfile:12 SeccompProfile",
  Capabilities: "add:1 [s], drop:2 [s]",
  PodStatus:
    "phase:1 s, conditions:2 [PodCondition]/type, message:3 s, reason:4 s, hostIP:5 s, podIP:6 s, startTime:7 t, containerStatuses:8 [ContainerStatus], qosClass:9 s, initContainerStatuses:10 [ContainerStatus], nominatedNodeName:11 s, podIPs:12 [IP]/ip, ephemeralContainerStatuses:13 [ContainerStatus], resize:14 s, hostIPs:16 [IP], observedGeneration:17 i, resourceClaimStatuses:0 ?, extendedResourceClaimStatus:0 ?, allocatedResources:0 ?, resources:0 ?",
  PodCondition:
    "type:1 =s, status:2 =s, lastProbeTime:3 =t, lastTransitionTime:4 =t, reason:5 s, message:6 s, observedGeneration:7 i, severity:0 s",
  IP: "ip:1 s",
  ContainerStatus:
    "name:1 =s, state:2 !ContainerState, lastState:3 !ContainerState, ready:4 =b, restartCount:5 =i, image:6 =s, imageID:7 =s, containerID:8 s, started:9 *b, allocatedResources:0 ?, resources:0 ?, volumeMounts:0 ?, user:0 ?, allocatedResourcesStatus:0 ?, stopSignal:0 ?",
  ContainerState: "waiting:1 StateWaiting, running:2 StateRunning, terminated:3 StateTerminated",
  StateWaiting: "reason:1 s, message:2 s",
  StateRunning: "startedAt:1 =t",
  StateTerminated:
    "exitCode:1 =i, signal:2 i, reason:3 s, message:4 s, startedAt:5 =t, finishedAt:6 =t, containerID:7 s",

  Deployment: "metadata:1 !ObjectMeta, spec:2 !DeploymentSpec, status:3 !DeploymentStatus",
  DeploymentSpec:
    "replicas:1 *i, selector:2 LabelSelector, template:3 !PodTemplateSpec, strategy:4 !DeploymentStrategy, minReadySeconds:5 i, revisionHistoryLimit:6 *i, paused:7 b, progressDeadlineSeconds:9 *i",
  DeploymentStrategy: "type:1 s, rollingUpdate:2 RollingUpdateDeployment",
  RollingUpdateDeployment: "maxUnavailable:1 *p, maxSurge:2 *p",
  DeploymentStatus:
    "observedGeneration:1 i, replicas:2 i, updatedReplicas:3 i, availableReplicas:4 i, unavailableReplicas:5 i, conditions:6 [DeploymentCondition]/type, readyReplicas:7 i, collisionCount:8 *i, terminatingReplicas:9 *i",
  DeploymentCondition:
    "type:1 =s, status:2 =s, reason:4 s, message:5 s, lastUpdateTime:6 =t, lastTransitionTime:7 =t, severity:0 s",
  ReplicaSet: "metadata:1 !ObjectMeta, spec:2 !ReplicaSetSpec, status:3 !ReplicaSetStatus",
  ReplicaSetSpec: "replicas:1 *i, selector:2 LabelSelector, template:3 !PodTemplateSpec, minReadySeconds:4 i",
  ReplicaSetStatus:
    "replicas:1 =i, fullyLabeledReplicas:2 i, observedGeneration:3 i, readyReplicas:4 i, availableReplicas:5 i, conditions:6 [ReplicaSetCondition]/type, terminatingReplicas:7 *i",
  ReplicaSetCondition: "type:1 =s, status:2 =s, lastTransitionTime:3 =t, reason:4 s, message:5 s",
  Scale: "metadata:1 !ObjectMeta, spec:2 !ScaleSpec, status:3 !ScaleStatus",
  ScaleSpec: "replicas:1 i",
  ScaleStatus: "replicas:1 =i, selector:2 s",
  HorizontalPodAutoscaler:
    "metadata:1 !ObjectMeta, spec:2 !HorizontalPodAutoscalerSpec, status:3 !HorizontalPodAutoscalerStatus",
  HorizontalPodAutoscalerSpec:
    "scaleTargetRef:1 !CrossVersionObjectReference, minReplicas:2 *i, maxReplicas:3 =i, metrics:4 [MetricSpec], behavior:5 HorizontalPodAutoscalerBehavior",
  CrossVersionObjectReference: "kind:1 =s, name:2 =s, apiVersion:3 s",
  MetricSpec:
    "type:1 =s, object:2 ObjectMetricSource, pods:3 PodsMetricSource, resource:4 ResourceMetricSource, external:5 PodsMetricSource, containerResource:7 ContainerResourceMetricSource",
  ObjectMetricSource:
    "describedObject:1 !CrossVersionObjectReference, target:2 !MetricTarget, metric:3 !MetricIdentifier",
  PodsMetricSource: "metric:1 !MetricIdentifier, target:2 !MetricTarget",
  ResourceMetricSource: "name:1 =s, target:2 !MetricTarget",
  ContainerResourceMetricSource: "name:1 =s, target:2 !MetricTarget, container:3 =s",
  MetricIdentifier: "name:1 =s, selector:2 LabelSelector",
  MetricTarget: "type:1 =s, value:2 *q, averageValue:3 *q, averageUtilization:4 *i",
  HorizontalPodAutoscalerBehavior: "scaleUp:1 HPAScalingRules, scaleDown:2 HPAScalingRules",
  HPAScalingRules:
    "selectPolicy:1 *s, policies:2 [HPAScalingPolicy], stabilizationWindowSeconds:3 *i, tolerance:4 *q",
  HPAScalingPolicy: "type:1 =s, value:2 =i, periodSeconds:3 =i",
  HorizontalPodAutoscalerStatus:
    "observedGeneration:1 *i, lastScaleTime:2 t, currentReplicas:3 i, desiredReplicas:4 =i, currentMetrics:0 ?, conditions:6 [HorizontalPodAutoscalerCondition]/type",
  HorizontalPodAutoscalerCondition:
    "type:1 =s, status:2 =s, lastTransitionTime:3 t, reason:4 s, message:5 s, observedGeneration:0 i",
  Lease: "metadata:1 !ObjectMeta, spec:2 !LeaseSpec",
  LeaseSpec:
    "holderIdentity:1 *s, leaseDurationSeconds:2 *i, acquireTime:3 u, renewTime:4 u, leaseTransitions:5 *i, strategy:6 *s, preferredHolder:7 *s",
  EndpointSlice:
    "metadata:1 !ObjectMeta, endpoints:2 =[SliceEndpoint], ports:3 =[SlicePort], addressType:4 =s",
  SliceEndpoint:
    "addresses:1 =[s], conditions:2 !EndpointConditions, hostname:3 *s, targetRef:4 ObjectReference, deprecatedTopology:5 {s}, nodeName:6 *s, zone:7 *s, hints:0 ?",
  EndpointConditions: "ready:1 *b, serving:2 *b, terminating:3 *b",
  SlicePort: "name:1 *s, protocol:2 *s, port:3 *i, appProtocol:4 *s",

  SelfSubjectAccessReview: "metadata:1 !ObjectMeta, spec:2 !SelfSubjectAccessReviewSpec, status:0 ?",
  SelfSubjectAccessReviewSpec:
    "resourceAttributes:1 ResourceAttributes, nonResourceAttributes:2 NonResourceAttributes",
  ResourceAttributes:
    "namespace:1 s, verb:2 s, group:3 s, version:4 s, resource:5 s, subresource:6 s, name:7 s, fieldSelector:0 ?, labelSelector:0 ?",
  NonResourceAttributes: "path:1 s, verb:2 s",
  SelfSubjectRulesReview: "metadata:1 !ObjectMeta, spec:2 !SelfSubjectRulesReviewSpec, status:0 ?",
  SelfSubjectRulesReviewSpec: "namespace:1 s",
  SelfSubjectReview: "metadata:1 !ObjectMeta, status:0 ?",
  TokenRequest: "metadata:1 !ObjectMeta, spec:2 !TokenRequestSpec, status:0 ?",
  TokenRequestSpec: "audiences:1 =[s], boundObjectRef:3 BoundObjectReference, expirationSeconds:4 *i",
  BoundObjectReference: "kind:1 s, apiVersion:2 s, name:3 s, uid:4 s",
  DeleteOptions:
    "gracePeriodSeconds:1 *i, preconditions:2 Preconditions, orphanDependents:3 *b, propagationPolicy:4 *s, dryRun:5 [s], ignoreStoreReadErrorWithClusterBreakingPotential:6 *b",
  Preconditions: "uid:1 *s, resourceVersion:2 *s",
};
