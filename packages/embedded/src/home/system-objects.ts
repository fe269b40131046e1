import {
  ACTIVATOR_SERVICE,
  type ConfigMap,
  ConfigMapKind,
  type Endpoints,
  EndpointsKind,
  isKubeError,
  type Kind,
  type KubeClient,
  type KubeObject,
  type Namespace,
  NamespaceKind,
  PORT_PER_POD,
  portNames,
  ports,
  rouse,
  type Service,
  ServiceKind,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";

/** Config maps of the contract (C-157). All exist, so that `kubectl edit` finds them; absent keys mean defaults. */
const CONFIG_MAPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "config-autoscaler": {
    // A service may begin at zero here: there is no image to check by starting it once.
    "allow-zero-initial-scale": "true",
    // Grace is for networks that take their time to switch (K-79); here the gateway sees endpoints change at once.
    "scale-to-zero-grace-period": "5s",
  },
  "config-defaults": {},
  "config-deployment": {},
  "config-domain": { localhost: "" },
  "config-features": {},
  "config-gc": {},
  "config-logging": {},
  // Who may write objects here may have any domain: there is one user.
  "config-network": { "autocreate-cluster-domain-claims": "true" },
  "config-observability": {},
};

/**
 * Makes what every home has before its first service: namespaces, config maps, and the activator's Service. What is
 * already there is left as its owner wants it.
 */
export async function createSystemObjects(client: KubeClient): Promise<void> {
  const namespace: Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: SYSTEM_NAMESPACE } };
  await createIfAbsent(client, NamespaceKind, namespace);
  for (const [name, data] of Object.entries(CONFIG_MAPS)) {
    const configMap: ConfigMap = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: SYSTEM_NAMESPACE },
      data,
    };
    await createIfAbsent(client, ConfigMapKind, configMap);
  }
  const service: Service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: ACTIVATOR_SERVICE, namespace: SYSTEM_NAMESPACE },
    spec: {
      type: "ClusterIP",
      ports: [
        { name: portNames.http, port: ports.serviceHttp, targetPort: ports.queueHttp, protocol: "TCP" },
        { name: portNames.h2c, port: ports.serviceH2c, targetPort: ports.queueH2c, protocol: "TCP" },
      ],
    },
  };
  await createIfAbsent(client, ServiceKind, service);
}

/** Where an activator of this home listens: for HTTP/1.1 revisions, and for h2c ones. */
export interface ActivatorPlace {
  readonly ip: string;
  readonly port: number;
  readonly h2cPort: number;
  readonly name: string;
}

/** Points `activator-service` at the activator that listens now, by the port of either protocol. K-31, K-36. */
export async function publishActivator(client: KubeClient, activator: ActivatorPlace): Promise<void> {
  const endpoints: Endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      name: ACTIVATOR_SERVICE,
      namespace: SYSTEM_NAMESPACE,
      ...(activator.port === ports.queueHttp ? {} : { annotations: { [rouse.queuePort]: PORT_PER_POD } }),
    },
    subsets: [
      {
        addresses: [
          { ip: activator.ip, targetRef: { kind: "Pod", namespace: SYSTEM_NAMESPACE, name: activator.name } },
        ],
        ports: [
          { name: portNames.http, port: activator.port, protocol: "TCP" },
          { name: portNames.h2c, port: activator.h2cPort, protocol: "TCP" },
        ],
      },
    ],
  };
  try {
    await client.create(EndpointsKind, endpoints);
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
    await client.update(EndpointsKind, endpoints);
  }
}

async function createIfAbsent<T extends KubeObject>(
  client: KubeClient,
  kind: Kind<T>,
  object: T,
): Promise<void> {
  try {
    await client.create(kind, object);
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
  }
}
