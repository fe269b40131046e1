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
const LEASES = { buckets: "2", "lease-duration": "4s", "renew-deadline": "3s", "retry-period": "1s" };
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
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A Deployment as anybody has one, and the one object that makes it scale from zero. */
export async function createService(client: KubeClient, service: UserService): Promise<void> {
  const { name, containerConcurrency, annotations = {} } = service;
  const app = { app: name };
  const deployment: Deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace: "default", name },
    spec: {
      replicas: 1,
      selector: { matchLabels: app },
      template: {
        metadata: { labels: app },
        spec: {
          terminationGracePeriodSeconds: 5,
          containers: [
            {
              name: "app",
              image: "an/image",
              command: [process.execPath, join(import.meta.dirname, "program.mjs")],
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
