import {
  type Clock,
  identityText,
  type KubeClient,
  LeaseElections,
  type Logger,
  metricsText,
  PlainServer,
  type Random,
  readElectionConfig,
} from "@rouse/shared";
import { Autoscaler } from "./autoscaler.ts";
import { readMeshConfig } from "./config/mesh-config.ts";
import type { Config } from "./config.ts";
import type { BucketHolders } from "./forward/bucket-holders.ts";
import { publishBucket } from "./forward/bucket-service.ts";
import { Buckets, bucketNames } from "./forward/buckets.ts";
import { Forwarder } from "./forward/forwarder.ts";
import { LeaseHolders } from "./forward/lease-holders.ts";
import { OrdinalHolders } from "./forward/ordinal-holders.ts";
import { HttpActivatorProbe } from "./probe/http-activator-probe.ts";
import { StatServer } from "./receive/stat-server.ts";
import { HttpPodScraper } from "./scrape/http-pod-scraper.ts";

export interface ProgramDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The process has no use any more. */
  readonly onFatal: (reason: string) => void;
}

/** The autoscaler of a cluster, for as long as it runs. */
export interface Program extends AsyncDisposable {
  readonly statPort: number;
  readonly metricsPort: number;
}

/**
 * One replica: its share of the buckets, the autoscaler for the revisions in them, and the servers others report to.
 * Closing it asks reporters to go elsewhere first, and gives its Leases back last. S-1.
 */
export async function startProgram(deps: ProgramDeps, config: Config): Promise<Program> {
  const { client, clock, random, log } = deps;
  await using starting = new AsyncDisposableStack();
  const election = await readElectionConfig(client);
  const mesh = await readMeshConfig(client);
  const buckets = new Buckets(bucketNames(election.buckets));

  const scraper = starting.use(new HttpPodScraper({ clock }, { isPassthrough: mesh.isPassthrough }));
  const share = await startShare(deps, config, { buckets, election }, starting);
  const autoscaler = starting.use(
    await Autoscaler.start(
      {
        client,
        clock,
        random,
        log,
        scraper,
        activatorProbe: new HttpActivatorProbe({
          clock,
          resolve: (name, namespace, port) => ({
            ip: `${name}.${namespace}.svc.${config.clusterDomain}`,
            port,
          }),
        }),
      },
      {
        scrapeSample: "statistical",
        writesDeletionCosts: true,
        endpointsSource: config.endpointsSource,
        ownership: { owns: (revision) => share.owns(buckets.of(revision)) },
      },
    ),
  );
  const forwarder = starting.use(
    new Forwarder({ clock, buckets, holders: share.holders, local: autoscaler }),
  );
  const metrics = starting.use(
    // S-143: 200 as well for whoever asks whether the process lives
    await PlainServer.start({ ip: config.ip, port: config.metricsPort }, (path) =>
      path === "/metrics" ? metricsText(autoscaler.metrics()) : { status: 200 },
    ),
  );
  const stats = starting.use(
    await StatServer.start(
      { clock, log, sink: forwarder, ownsBucket: (bucket) => share.owns(bucket) },
      { ip: config.ip, port: config.statPort },
    ),
  );
  share.begin({
    port: stats.port,
    holderChanged: (bucket) => forwarder.holderChanged(bucket),
    shareChanged: () => autoscaler.lookAgain(),
  });
  log.info("autoscaler runs", { buckets: buckets.names.length, statPort: stats.port });
  const running = starting.move();
  return {
    statPort: stats.port,
    metricsPort: metrics.address.port,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

interface Share {
  readonly holders: BucketHolders;
  owns(bucket: string): boolean;
  /** Runs for Leases from now on, once there is somebody to tell. */
  begin(told: {
    /** Where this replica takes stats. */
    readonly port: number;
    holderChanged(bucket: string): void;
    shareChanged(): void;
  }): void;
}

/** Which buckets this replica holds: S-130 with Leases, S-140 by its ordinal. */
async function startShare(
  deps: ProgramDeps,
  { membership, clusterDomain, statPort }: Config,
  {
    buckets,
    election,
  }: { readonly buckets: Buckets; readonly election: Awaited<ReturnType<typeof readElectionConfig>> },
  starting: AsyncDisposableStack,
): Promise<Share> {
  if (membership.kind === "ordinal" && membership.ordinal < buckets.names.length) {
    const holders = new OrdinalHolders({ ...membership, clusterDomain }, buckets.names);
    return { holders, owns: (bucket) => holders.holder(bucket)?.kind === "local", begin: () => {} };
  }
  if (membership.kind === "ordinal") {
    throw new Error(`ordinal ${membership.ordinal} has no bucket: there are ${buckets.names.length}`);
  }
  const { log } = deps;
  let told: Parameters<Share["begin"]>[0] | undefined;
  const elections = starting.use(
    new LeaseElections(
      {
        ...deps,
        onWon: (bucket) => {
          log.info("bucket won", { bucket });
          publishBucket(deps, bucket, { ip: membership.podIp, port: told?.port ?? statPort }).then(
            () => told?.shareChanged(),
            (error: unknown) => deps.onFatal(`bucket not published: ${String(error)}`),
          );
        },
        onLost: (bucket) => {
          log.info("bucket lost", { bucket });
          told?.shareChanged();
        },
      },
      identityText(membership),
      election,
    ),
  );
  const holders = starting.use(
    new LeaseHolders(deps, {
      ownIp: membership.podIp,
      port: statPort,
      clusterDomain,
      buckets: buckets.names,
      onChange: (bucket) => told?.holderChanged(bucket),
    }),
  );
  await holders.start();
  return {
    holders,
    owns: (bucket) => elections.holds(bucket),
    begin: (listeners) => {
      told = listeners;
      elections.start(buckets.names);
    },
  };
}
