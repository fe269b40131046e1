import { Activator } from "@rouse/activator";
import { Autoscaler, type Explanation, HpaEvaluator, HttpActivatorProbe } from "@rouse/autoscaler";
import { Controller } from "@rouse/controller";
import { Gateway } from "@rouse/gateway";
import {
  type Clock,
  endpoint,
  type KubeClient,
  type Logger,
  labels,
  type ObjectKey,
  objectKey,
  ports,
  type Random,
  type RevisionKey,
  revisionKey,
} from "@rouse/shared";
import { ApiServer } from "./api-server/api-server.ts";
import { ApiHandler } from "./api-server/wire/api-handler.ts";
import { ApiListener, type ApiListenerDeps } from "./api-server/wire/api-listener.ts";
import { type ApiAccess, openApiAccess, writeKubeconfig } from "./home/api-access.ts";
import { openGatewayAuthority } from "./home/gateway-authority.ts";
import { IdleMemory } from "./home/idle-memory.ts";
import { LatestPods } from "./home/latest-pods.ts";
import { listenSomewhere } from "./home/listen-somewhere.ts";
import { PodOutputHub } from "./home/pod-output-hub.ts";
import { PodSidecars } from "./home/pod-sidecars.ts";
import { ServiceResolver } from "./home/service-resolver.ts";
import { SnapshotFile } from "./home/snapshot-file.ts";
import { createSystemObjects, publishActivator } from "./home/system-objects.ts";
import { UsageRates } from "./home/usage-rates.ts";
import { Kubelet } from "./kubelet/kubelet.ts";
import { canUseLoopbackRange } from "./kubelet/pod-addresses.ts";
import type { PodTimeline } from "./kubelet/pod-timeline.ts";
import { Workloads } from "./workloads/workloads.ts";

/** Name of the one activator of a home, as it appears in statistics and endpoints. */
const ACTIVATOR_NAME = "activator";

export interface HomeDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** One line a pod's program wrote. */
  readonly onOutput?: (pod: ObjectKey, stream: "stdout" | "stderr", line: string) => void;
}

export interface HomeOptions {
  /** Where the gateway listens; port 0 lets the system choose. */
  readonly listen: string;
  readonly port: number;
  /** Where the gateway speaks TLS as well, with certificates of its own authority; nowhere unless given. */
  readonly tlsPort?: number;
  /** Journal of the objects, and records of the processes for the next start. */
  readonly dataDir: string;
  /** Whether objects are forgotten at the end. Processes are recorded all the same, so that none outlives a crash. */
  readonly isEphemeral: boolean;
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
 * Starts every component, each on the API alone, in the order of who needs whom. What has been started is stopped in
 * reverse, also when a later one fails.
 * @throws when the port is taken or the data directory cannot be used
 */
export async function startHome(deps: HomeDeps, options: HomeOptions): Promise<Home> {
  const { clock, random, log } = deps;
  await using starting = new AsyncDisposableStack();

  const apiServer = starting.use(
    await ApiServer.start(
      { clock, random, log: log.with({ component: "api-server" }) },
      options.isEphemeral ? {} : { dataDir: options.dataDir },
    ),
  );
  const { client } = apiServer;
  const component = (name: string): { client: KubeClient; clock: Clock; random: Random; log: Logger } => ({
    client,
    clock,
    random,
    log: log.with({ component: name }),
  });
  await createSystemObjects(client);

  const gateway = starting.use(
    await Gateway.start(component("gateway"), {
      ip: options.listen,
      port: options.port,
      ...(options.tlsPort === undefined
        ? {}
        : {
            tls: { port: options.tlsPort, authority: await openGatewayAuthority(clock, options.dataDir) },
          }),
    }),
  );

  const sidecars = new PodSidecars(component("queue-proxy"));
  const resolver = starting.use(new ServiceResolver(component("resolver")));
  await resolver.start();
  const autoscaler = starting.use(
    await Autoscaler.start(
      {
        ...component("autoscaler"),
        scraper: sidecars,
        activatorProbe: new HttpActivatorProbe({
          clock,
          resolve: (name, namespace) => resolver.resolve(name, namespace),
        }),
      },
      options.isEphemeral ? {} : { snapshots: new SnapshotFile(options.dataDir) },
    ),
  );
  const podAt = new LatestPods();
  const activator = starting.use(
    await listenSomewhere(
      random,
      { port: ports.queueHttp, hasOwnAddress: await canUseLoopbackRange() },
      ({ ip, port }) =>
        Activator.start(
          {
            ...component("activator"),
            stats: autoscaler,
            coldStarts: (at) => {
              const pod = podAt.get(at);
              return pod === undefined ? undefined : kubelet.timeline(pod);
            },
          },
          { ip, port, h2cPort: port === 0 ? 0 : ports.queueH2c, podName: ACTIVATOR_NAME, podIp: ip },
        ),
    ),
  );
  const { h2cPort = activator.address.port } = activator;
  await publishActivator(client, { ...activator.address, h2cPort, name: ACTIVATOR_NAME });

  const output = new PodOutputHub({
    store: apiServer.store,
    kept: (pod, container) => kubelet.logs(pod, container),
    keptBefore: (pod, container) => kubelet.previousLogs(pod, container),
  });
  const kubelet: Kubelet = starting.use(
    await Kubelet.start(
      {
        ...component("kubelet"),
        sidecars,
        hooks: {
          onReady: (pod, address) => {
            podAt.set(endpoint(address), objectKey(pod.metadata));
            const { namespace, labels: podLabels } = pod.metadata;
            const name = podLabels?.[labels.revision];
            if (name !== undefined) activator.podReady(revisionKey({ namespace, name }), endpoint(address));
          },
          onOutput: (pod, stream, line, container) => {
            output.wrote(pod, container, line);
            deps.onOutput?.(pod, stream, line);
          },
        },
      },
      { dataDirectory: options.dataDir },
    ),
  );
  starting.use(
    await HpaEvaluator.start({
      ...component("hpa"),
      usage: new UsageRates(clock, (pod) => kubelet.usage(pod)),
    }),
  );
  starting.use(
    await Workloads.start({
      ...component("workloads"),
      inFlight: (pod) => kubelet.inFlight(pod),
      podCreated: (pod, at) => kubelet.podCreated(pod, at),
    }),
  );
  starting.use(await Controller.start(component("controller"), { externalPort: gateway.address.port }));

  const apiLog = log.with({ component: "api" });
  const handler = new ApiHandler({
    store: apiServer.store,
    clock,
    random,
    log: apiLog,
    podOutput: output,
    durable: () => apiServer.durable(),
  });
  const access = await openApiAccess({ clock, random }, options.dataDir);
  const listener = starting.use(
    await listenForClients({ handler, log: apiLog }, { ...access, port: options.apiPort }),
  );
  const kubeconfig = await writeKubeconfig(options.dataDir, { ...access, port: listener.port });

  starting.use(new IdleMemory({ clock, log }));

  const running = starting.move();
  return {
    client,
    api: { handle: (request) => handler.handle(request), port: listener.port, kubeconfig },
    gateway: {
      ...gateway.address,
      ...(gateway.tlsAddress === undefined ? {} : { tlsPort: gateway.tlsAddress.port }),
    },
    snapshot: (revision) => {
      const found = activator.snapshot().find((each) => each.revision === revision);
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
