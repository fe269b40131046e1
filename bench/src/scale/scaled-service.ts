import type { Platform } from "../cold-start/platform.ts";

/** What the page behind `rouse explain` says of one evaluation. */
export interface DecidedTick {
  readonly kind: "decided";
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly evaluation: {
    readonly readyPods: number;
    readonly stable: number;
    readonly panic: number;
    readonly desiredPods: number;
  };
}

interface ExplainPage {
  readonly explanation?: {
    readonly ticks: readonly (DecidedTick | { readonly kind: "no-data"; readonly at: number })[];
  };
}

const NAME = "scaled";
export const HOST = `${NAME}.default.localhost`;
const REVISION = `${NAME}-00001`;
const SERVING = "/apis/serving.knative.dev/v1/namespaces/default";

export interface ServiceOptions {
  readonly program: string;
  readonly containerConcurrency: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The manifest of the one service that is looked at. */
export function manifestOf({ program, containerConcurrency, annotations }: ServiceOptions): object {
  const autoscaling = Object.entries(annotations).map(([key, value]) => [
    `autoscaling.knative.dev/${key}`,
    value,
  ]);
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: NAME, namespace: "default" },
    spec: {
      template: {
        metadata: { annotations: Object.fromEntries(autoscaling) },
        spec: { containerConcurrency, containers: [{ command: [process.execPath, program] }] },
      },
    },
  };
}

/** The replicas its Deployment asks for. */
export async function replicasOf(platform: Platform): Promise<number> {
  const path = `/apis/apps/v1/namespaces/default/deployments/${REVISION}-deployment`;
  const deployment = (await platform.api(path)) as { readonly spec: { readonly replicas?: number } };
  return deployment.spec.replicas ?? 1;
}

/** Evaluations after `since`, oldest first. */
export async function ticksSince(platform: Platform, since: number): Promise<readonly DecidedTick[]> {
  const page = (await platform.api(`/rouse/explain?revision=default%2F${REVISION}`)) as ExplainPage;
  return (page.explanation?.ticks ?? []).filter(
    (tick) => tick.kind === "decided" && tick.at > since,
  ) as DecidedTick[];
}

/** Who stands in its path now. */
export async function modeOf(platform: Platform): Promise<string> {
  const path = `/apis/networking.internal.knative.dev/v1alpha1/namespaces/default/serverlessservices/${REVISION}`;
  return ((await platform.api(path)) as { readonly spec: { readonly mode: string } }).spec.mode;
}

/** Annotations of a Revision take effect without a new one. S-17 */
export async function annotate(platform: Platform, annotation: string, value: string): Promise<void> {
  const annotations = { [`autoscaling.knative.dev/${annotation}`]: value };
  await platform.patch(`${SERVING}/revisions/${REVISION}`, { metadata: { annotations } });
}

export async function untilReady(platform: Platform): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { status } = (await platform.api(`${SERVING}/services/${NAME}`)) as {
      readonly status?: {
        readonly conditions?: readonly { readonly type: string; readonly status: string }[];
      };
    };
    if (status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true)
      return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${NAME} did not become ready in 10 s`);
}

/** How long an idle revision is kept for the network, in milliseconds. */
export async function graceMsOf(platform: Platform): Promise<number> {
  const path = "/api/v1/namespaces/knative-serving/configmaps/config-autoscaler";
  const { data } = (await platform.api(path)) as { readonly data?: Readonly<Record<string, string>> };
  const seconds = /^(\d+)s$/.exec(data?.["scale-to-zero-grace-period"] ?? "30s")?.[1];
  return Number(seconds) * 1_000;
}
