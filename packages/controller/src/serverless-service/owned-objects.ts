import {
  childName,
  controllerOf,
  type EndpointSubset,
  type Endpoints,
  labels,
  type ObjectMeta,
  type ProtocolType,
  portNames,
  ports,
  type ServerlessService,
  type Service,
  type ServicePort,
  type Stored,
} from "@rouse/shared";
import { portName, targetPort } from "./port-filter.ts";

const H2C_APP_PROTOCOL = "kubernetes.io/h2c";

/** K-20. */
export function privateServiceName(sksName: string): string {
  return childName(sksName, "-private");
}

/** The Service whose endpoints are the pods; `selector` is that of the scalable. K-20…K-22. */
export function makePrivateService(
  sks: Stored<ServerlessService>,
  selector: Readonly<Record<string, string>>,
): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(sks, privateServiceName(sks.metadata.name), "Private"),
    spec: { type: "ClusterIP", selector, ports: privatePorts(sks.spec.protocolType) },
  };
}

/** The Service a route names for the whole life of the revision; it has no selector. K-26, K-27. */
export function makePublicService(sks: Stored<ServerlessService>): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataOf(sks, sks.metadata.name, "Public"),
    spec: { type: "ClusterIP", ports: publicPorts(sks.spec.protocolType) },
  };
}

/** K-30. */
export function makePublicEndpoints(
  sks: Stored<ServerlessService>,
  subsets: readonly EndpointSubset[],
): Endpoints {
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: metadataOf(sks, sks.metadata.name, "Public"),
    subsets,
  };
}

function metadataOf(
  sks: Stored<ServerlessService>,
  name: string,
  serviceType: "Public" | "Private",
): ObjectMeta {
  return {
    name,
    namespace: sks.metadata.namespace,
    labels: {
      ...sks.metadata.labels,
      [labels.serverlessService]: sks.metadata.name,
      [labels.serviceType]: serviceType,
    },
    ...(sks.metadata.annotations === undefined ? {} : { annotations: sks.metadata.annotations }),
    ownerReferences: [controllerOf(sks)],
  };
}

function publicPorts(protocol: ProtocolType): readonly ServicePort[] {
  return [
    protocolPort(protocol, protocol === "h2c" ? ports.serviceH2c : ports.serviceHttp),
    { name: portNames.https, protocol: "TCP", port: ports.serviceHttps, targetPort: ports.queueHttps },
  ];
}

function privatePorts(protocol: ProtocolType): readonly ServicePort[] {
  const target = targetPort(protocol);
  return [
    protocolPort(protocol, ports.serviceHttp), // 80 for h2c too
    { name: portNames.https, protocol: "TCP", port: ports.serviceHttps, targetPort: ports.queueHttps },
    {
      name: portNames.autoscalerMetrics,
      protocol: "TCP",
      port: ports.autoscalerMetrics,
      targetPort: portNames.autoscalerMetrics,
    },
    {
      name: portNames.userMetrics,
      protocol: "TCP",
      port: ports.userMetrics,
      targetPort: portNames.userMetrics,
    },
    { name: `${portName(protocol)}-istio`, protocol: "TCP", port: target, targetPort: target },
  ];
}

function protocolPort(protocol: ProtocolType, port: number): ServicePort {
  return {
    name: portName(protocol),
    protocol: "TCP",
    ...(protocol === "h2c" ? { appProtocol: H2C_APP_PROTOCOL } : {}),
    port,
    targetPort: targetPort(protocol),
  };
}
