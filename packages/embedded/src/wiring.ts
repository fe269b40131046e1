import type { Explanation } from "@rouse/autoscaler";
import { IdleMemory, type KubeClient, type ObjectKey, type RevisionKey } from "@rouse/shared";
import { ApiHandler } from "./api-server/wire/api-handler.ts";
import { ApiListener, type ApiListenerDeps } from "./api-server/wire/api-listener.ts";
import { type ComponentsDeps, type ComponentsOptions, startComponents } from "./components.ts";
import { type ApiAccess, openApiAccess, writeKubeconfig } from "./home/api-access.ts";
import { rehearse } from "./home/rehearsal.ts";
import type { PodTimeline } from "./kubelet/pod-timeline.ts";

/** Ticks of autoscaling alone stay well below; collecting a thousand services takes some tenths of a second. */
const MEMORY = { busyRatioMax: 0.02, returnedBytesMin: 64 * 1024 * 1024 };

export type HomeDeps = Omit<ComponentsDeps, "machine">;

export interface HomeOptions extends ComponentsOptions {
  /** Port of the Kubernetes API; absent: the one of last time if it is free, else any. */
  readonly apiPort?: number;
}

/** The embedded home: the whole platform in one process, pods as child processes. */
export interface Home extends AsyncDisposable {
  readonly client: KubeClient;
  readonly gateway: { readonly ip: string; readonly port: number; readonly tlsPort?: number };
  /** The Kubernetes API as it is served to others, and where kubectl finds how to reach it. */
  readonly api: Pick<ApiHandler, "handle"> & { readonly port: number; readonly kubeconfig: string };
  /** Requests of a revision at this moment; `undefined` for one nobody has asked for. */
  snapshot(revision: RevisionKey): { readonly held: number; readonly inFlight: number } | undefined;
  /** When a pod reached each phase of its start. */
  timeline(pod: ObjectKey): PodTimeline | undefined;
  explain(revision: RevisionKey): Explanation | undefined;
  /** Ends everything within about two seconds: no new requests, then the processes, then the rest. */
  close(): Promise<void>;
}

/**
 * Rehearses a cold start, starts every component, and shows the API to clients. What has been started is stopped in
 * reverse, also when a later part fails.
 * @throws when the port is taken or the data directory cannot be used
 */
export async function startHome(deps: HomeDeps, options: HomeOptions): Promise<Home> {
  const { clock, random, log } = deps;
  await rehearse(deps, options.dataDir);
  await using starting = new AsyncDisposableStack();
  const components = starting.use(await startComponents(deps, options));
  const { apiServer, gateway, autoscaler, activator, kubelet } = components;
  const { client } = apiServer;

  const apiLog = log.with({ component: "api" });
  const handler = new ApiHandler({
    store: apiServer.store,
    clock,
    random,
    log: apiLog,
    podOutput: components.output,
    durable: () => apiServer.durable(),
  });
  const access = await openApiAccess({ clock, random }, options.dataDir);
  const listener = starting.use(
    await listenForClients({ handler, log: apiLog }, { ...access, port: options.apiPort }),
  );
  const kubeconfig = await writeKubeconfig(options.dataDir, { ...access, port: listener.port });

  starting.use(new IdleMemory({ clock, log }, MEMORY));

  const running = starting.move();
  return {
    client,
    api: { handle: (request) => handler.handle(request), port: listener.port, kubeconfig },
    gateway: {
      ...gateway.address,
      ...(gateway.tlsAddress === undefined ? {} : { tlsPort: gateway.tlsAddress.port }),
    },
    snapshot: (revision) => {
      const found = activator.snapshotOf(revision);
      return found === undefined ? undefined : { held: found.held, inFlight: found.inFlight };
    },
    timeline: (pod) => kubelet.timeline(pod),
    explain: (revision) => autoscaler.explain(revision),
    close: () => running.disposeAsync(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Where it listened last time, so that clients of then find it again; anywhere if that is taken. */
async function listenForClients(
  deps: ApiListenerDeps,
  { tls, token, lastPort, port }: ApiAccess & { readonly port: number | undefined },
): Promise<ApiListener> {
  const at = (wanted: number): Promise<ApiListener> =>
    ApiListener.start(deps, { kind: "loopback", ip: "127.0.0.1", port: wanted, tls, token });
  if (port !== undefined || lastPort === undefined) return at(port ?? 0);
  return at(lastPort).catch(() => at(0));
}
