import {
  type EndpointSlice,
  EndpointSliceKind,
  type Endpoints,
  EndpointsKind,
  Informer,
  type InformerDeps,
  isKubeError,
  type ObjectKey,
  objectKey,
  ReconcileLoop,
  type Stored,
} from "@rouse/shared";

const SERVICE_NAME = "kubernetes.io/service-name";

/**
 * What a cluster's controller of slices leaves behind, made from the Endpoints: for each subset one slice of either
 * family with the same pods, as a dual-stack Service has them. Nobody listens at the addresses of the second family.
 */
export async function mirrorSlices(deps: InformerDeps): Promise<Disposable> {
  const { client, clock } = deps;
  const endpoints = new Informer<Endpoints>(deps, EndpointsKind);
  const mirror = async (key: ObjectKey): Promise<void> => {
    const object = endpoints.get(key);
    if (object === undefined) return; // slices are owned by nobody here: what is gone is asked for by nobody
    for (const family of ["IPv4", "IPv6"] as const) {
      const slice = sliceOf(object, family);
      try {
        await client.update(EndpointSliceKind, slice);
      } catch (error) {
        if (!isKubeError(error, "NotFound")) throw error;
        await client.create(EndpointSliceKind, slice);
      }
    }
  };
  const loop = new ReconcileLoop(
    { clock, onError: () => {} },
    {
      name: "slices",
      reconcile: async (key) => {
        await mirror(key);
        return { kind: "done" };
      },
    },
  );
  endpoints.handle({ changed: ({ metadata }) => loop.add(objectKey(metadata)), removed: () => {} });
  await endpoints.start();
  return {
    [Symbol.dispose]: () => {
      loop[Symbol.dispose]();
      endpoints[Symbol.dispose]();
    },
  };
}

function sliceOf({ metadata, subsets = [] }: Stored<Endpoints>, family: "IPv4" | "IPv6"): EndpointSlice {
  const { namespace, name, labels = {} } = metadata;
  const endpoint = (ip: string, isReady: boolean) => ({
    addresses: [family === "IPv4" ? ip : `fd00::${ip.replaceAll(".", ":")}`],
    conditions: { ready: isReady, serving: isReady, terminating: false },
    targetRef: { kind: "Pod", namespace, name: `at-${ip}`, uid: ip },
  });
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      namespace,
      name: `${name}-${family.toLowerCase()}`,
      labels: { ...labels, [SERVICE_NAME]: name },
    },
    addressType: family,
    endpoints: subsets.flatMap(({ addresses = [], notReadyAddresses = [] }) => [
      ...addresses.map(({ ip }) => endpoint(ip, true)),
      ...notReadyAddresses.map(({ ip }) => endpoint(ip, false)),
    ]),
    ports: subsets[0]?.ports ?? [],
  };
}
