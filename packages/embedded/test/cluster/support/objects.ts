import { join } from "node:path";
import {
  type ConfigMap,
  ConfigMapKind,
  type Deployment,
  DeploymentKind,
  type KubeClient,
  MutatingWebhookConfigurationKind,
  type PodAutoscaler,
  PodAutoscalerKind,
  SYSTEM_NAMESPACE,
  ValidatingWebhookConfigurationKind,
  type WebhookConfiguration,
} from "@rouse/shared";

/** Short, so that who takes over from a killed one does so within seconds. */
const LEASES = { buckets: "2", "lease-duration": "8s", "renew-deadline": "6s", "retry-period": "1s" };
const CONFIG: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "config-leader-election": LEASES,
  "config-autoscaler": { "allow-zero-initial-scale": "true", "scale-to-zero-grace-period": "6s" },
  "config-deployment": { "queue-sidecar-image": "rouse/queue-proxy" },
  "config-network": {},
  "config-defaults": {},
};

/** What `deploy/` makes before the first program starts. */
export async function createClusterObjects(client: KubeClient): Promise<void> {
  for (const [name, data] of Object.entries(CONFIG)) {
    const map: ConfigMap = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: SYSTEM_NAMESPACE, name },
      data,
    };
    await client.create(ConfigMapKind, map);
  }
  const apiVersion = "admissionregistration.k8s.io/v1";
  const service = { name: "rouse-webhook", namespace: SYSTEM_NAMESPACE };
  const webhook = (name: string, path: string): WebhookConfiguration["webhooks"] & {} => [
    { name, clientConfig: { service: { ...service, path } } },
  ];
  await client.create(MutatingWebhookConfigurationKind, {
    apiVersion,
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "injection.rouse.dev" },
    webhooks: webhook("injection.rouse.dev", "/inject"),
  });
  await client.create(ValidatingWebhookConfigurationKind, {
    apiVersion,
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "validation.rouse.dev" },
    webhooks: webhook("validation.rouse.dev", "/validate"),
  });
}

export interface UserService {
  readonly name: string;
  readonly containerConcurrency: number;
  /** An argument of its program, by which its processes are known. */
  readonly marker: string;
  /** How long it takes for an answer. */
  readonly workMs: number;
  /** Before it is scaled by us; 1 unless told. */
  readonly replicas?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A Deployment as anybody has one, and the one object that makes it scale from zero. */
export async function createService(client: KubeClient, service: UserService): Promise<void> {
  const { name, containerConcurrency, marker, workMs, replicas = 1, annotations = {} } = service;
  const app = { app: name };
  const deployment: Deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace: "default", name },
    spec: {
      replicas,
      selector: { matchLabels: app },
      template: {
        metadata: { labels: app },
        spec: {
          terminationGracePeriodSeconds: 5,
          containers: [
            {
              name: "app",
              image: "an/image",
              command: [process.execPath, join(import.meta.dirname, "program.mjs"), marker],
              env: [{ name: "WORK_MS", value: String(workMs) }],
              ports: [{ containerPort: 8080 }],
            },
          ],
        },
      },
    },
  };
  const autoscaler: PodAutoscaler = {
    apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
    kind: "PodAutoscaler",
    metadata: { namespace: "default", name, annotations: { "rouse.dev/inject": "true", ...annotations } },
    spec: {
      containerConcurrency,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
      protocolType: "http1",
    },
  };
  await client.create(DeploymentKind, deployment);
  await client.create(PodAutoscalerKind, autoscaler);
}

/** How many are made at one time. */
const AT_ONE_TIME = 8;

/** So many services, none of which has a pod. */
export async function createSleepers(client: KubeClient, count: number): Promise<void> {
  let next = 0;
  const column = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      await createService(client, {
        name: `sleeper-${at}`,
        containerConcurrency: 10,
        marker: "",
        workMs: 1,
        replicas: 0,
        annotations: { "autoscaling.knative.dev/initial-scale": "0" },
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONE_TIME }, column));
}
