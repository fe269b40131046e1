import {
  apiVersion,
  type Clock,
  type EndpointSlice,
  EndpointSliceKind,
  isKubeError,
  type KubeClient,
  ServiceKind,
  SYSTEM_NAMESPACE,
} from "@rouse/shared";

/** S-136. */
const RETRY_MS = 100;
const TRIES_MAX = 30;

/**
 * Makes a bucket reachable by name: a Service without selector, and one slice with its holder's address. Each step is
 * tried for three seconds. S-136. @throws when one of them cannot be done
 */
export async function publishBucket(
  deps: { readonly client: KubeClient; readonly clock: Clock },
  bucket: string,
  holder: { readonly ip: string; readonly port: number },
): Promise<void> {
  await persistently(deps.clock, () => bringService(deps.client, bucket, holder.port));
  await persistently(deps.clock, () => bringSlice(deps.client, bucket, holder));
}

async function bringService(client: KubeClient, bucket: string, port: number): Promise<void> {
  try {
    await client.create(ServiceKind, {
      apiVersion: apiVersion(ServiceKind),
      kind: ServiceKind.kind,
      metadata: { namespace: SYSTEM_NAMESPACE, name: bucket },
      spec: { ports: [{ name: "http", port, targetPort: port, protocol: "TCP" }] },
    });
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
  }
}

async function bringSlice(
  client: KubeClient,
  bucket: string,
  { ip, port }: { readonly ip: string; readonly port: number },
): Promise<void> {
  const slice: EndpointSlice = {
    apiVersion: apiVersion(EndpointSliceKind),
    kind: EndpointSliceKind.kind,
    metadata: {
      namespace: SYSTEM_NAMESPACE,
      name: bucket,
      labels: { "kubernetes.io/service-name": bucket },
    },
    addressType: ip.includes(":") ? "IPv6" : "IPv4",
    endpoints: [{ addresses: [ip], conditions: { ready: true, serving: true, terminating: false } }],
    ports: [{ name: "http", port, protocol: "TCP" }],
  };
  try {
    await client.create(EndpointSliceKind, slice);
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
    const stored = await client.get(EndpointSliceKind, { namespace: SYSTEM_NAMESPACE, name: bucket });
    if (stored.addressType !== slice.addressType) {
      // The family of a slice cannot be changed.
      await client.delete(EndpointSliceKind, { namespace: SYSTEM_NAMESPACE, name: bucket });
      await client.create(EndpointSliceKind, slice);
      return;
    }
    await client.update(EndpointSliceKind, { ...slice, metadata: { ...stored.metadata, ...slice.metadata } });
  }
}

async function persistently(clock: Clock, step: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await step();
      return;
    } catch (error) {
      if (tries >= TRIES_MAX) throw error;
    }
    await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
  }
}
