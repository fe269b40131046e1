import { Activator } from "@rouse/activator";
import { Autoscaler, HpaEvaluator, HttpActivatorProbe } from "@rouse/autoscaler";
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
  revisionKey,
} from "@rouse/shared";
import { ApiServer } from "./api-server/api-server.ts";
import { openGatewayAuthority } from "./home/gateway-authority.ts";
import { LatestPods } from "./home/latest-pods.ts";
import { listenSomewhere } from "./home/listen-somewhere.ts";
import { PodOutputHub } from "./home/pod-output-hub.ts";
import { PodSidecars } from "./home/pod-sidecars.ts";
import { ServiceResolver } from "./home/service-resolver.ts";
import { SnapshotFile } from "./home/snapshot-file.ts";
import { createSystemObjects, publishActivator } from "./home/system-objects.ts";
import { UsageRates } from "./home/usage-rates.ts";
import { Kubelet } from "./kubelet/kubelet.ts";
import type { Machine } from "./kubelet/machine.ts";
import { canUseLoopbackRange } from "./kubelet/pod-addresses.ts";
import { registerNode } from "./kubelet/register-node.ts";
import { Workloads } from "./workloads/workloads.ts";

/** Name of the one activator of a home, as it appears in statistics and endpoints. */
const ACTIVATOR_NAME = "activator";

export interface ComponentsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** One line a pod's program wrote. */
  readonly onOutput?: (pod: ObjectKey, stream: "stdout" | "stderr", line: string) => void;
  /** What pods take from the machine; the real one unless given. */
  readonly machine?: Machine;
}

export interface ComponentsOptions {
  /** Where the gateway listens; port 0 lets the system choose. */
  readonly listen: string;
  readonly port: number;
  /** Where the gateway speaks TLS as well, with certificates of its own authority; nowhere unless given. */
  readonly tlsPort?: number;
  /** Journal of the objects, and records of the processes for the next start. */
  readonly dataDir: string;
  /** Whether objects are forgotten at the end. Processes are recorded all the same, so that none outlives a crash. */
  readonly isEphemeral: boolean;
}

/** What serves requests in a home, without the API it shows to others. Disposed in reverse of its start. */
export interface Components extends AsyncDisposable {
  readonly apiServer: ApiServer;
  readonly gateway: Gateway;
  readonly autoscaler: Autoscaler;
  readonly activator: Activator;
  readonly kubelet: Kubelet;
  /** What pods wrote, for those who follow it. */
  readonly output: PodOutputHub;
}

/**
 * Starts every component, each on the API alone, in the order of who needs whom. What has been started is stopped when
 * a later one fails.
 * @throws when the port is taken or the data directory cannot be used
 */
export async function startComponents(deps: ComponentsDeps, options: ComponentsOptions): Promise<Components> {
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
  await registerNode(client, clock);

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
  const hasPodAddresses = deps.machine?.hasPodAddresses ?? (await canUseLoopbackRange());
  const activator = starting.use(
    await listenSomewhere(random, { port: ports.queueHttp, hasOwnAddress: hasPodAddresses }, ({ ip, port }) =>
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
    wall: () => clock.wall(),
    kept: (pod, container) => kubelet.logs(pod, container),
    keptBefore: (pod, container) => kubelet.previousLogs(pod, container),
  });
  const kubelet: Kubelet = starting.use(
    await Kubelet.start(
      {
        ...component("kubelet"),
        ...(deps.machine === undefined ? {} : { machine: deps.machine }),
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
      { dataDirectory: options.dataDir, hasPodAddresses },
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

  const running = starting.move();
  return {
    apiServer,
    gateway,
    autoscaler,
    activator,
    kubelet,
    output,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
