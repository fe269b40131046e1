import type { Kind, KubeObject } from "../object.ts";

/**
 * Whom the API asks before it stores objects; of each webhook only what its owner has to fill in. The embedded home
 * keeps these for clients and asks nobody: its own admission is compiled in.
 */
export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly {
    readonly name: string;
    readonly clientConfig: { readonly caBundle?: string; readonly service?: WebhookService };
  }[];
}

interface WebhookService {
  readonly namespace: string;
  readonly name: string;
  readonly path?: string;
}

const admission = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  isNamespaced: false,
  hasStatus: false,
} as const;

export const MutatingWebhookConfigurationKind: Kind<WebhookConfiguration> = {
  ...admission,
  kind: "MutatingWebhookConfiguration",
  plural: "mutatingwebhookconfigurations",
};
export const ValidatingWebhookConfigurationKind: Kind<WebhookConfiguration> = {
  ...admission,
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
};
