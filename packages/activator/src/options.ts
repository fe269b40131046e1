import type {
  Clock,
  EndpointsSource,
  KubeClient,
  Layer,
  Logger,
  Network,
  Random,
  StatSink,
  TlsSettings,
} from "@rouse/shared";
import type { ActivatorContext } from "./accept/context.ts";
import type { ReportConnection } from "./metrics/activator-metrics.ts";
import type { RequestMetrics } from "./metrics/request-metrics.ts";
import type { AskOptions } from "./probe/ask-pod.ts";
import type { ProbePace } from "./probe/pod-prober.ts";
import type { ColdStarts } from "./report/time-cold-start.ts";
import type { ClusterCertificates } from "./secure/cluster-certificates.ts";
import type { MeshAccess } from "./settings/network-settings.ts";
import type { Tracing } from "./trace/tracing.ts";
import type { RevisionOrigin } from "./watch/revision-source.ts";

export interface ActivatorDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  /** Where reports go; the poke of a first request is sent to it in the same turn of the event loop. */
  readonly stats: StatSink;
  readonly log: Logger;
  /** Sockets unless given. */
  readonly network?: Network;
  /** Asks a pod whether it is ready; over a socket unless given. */
  readonly askPod?: (pod: Parameters<ColdStarts>[0], options: AskOptions) => Promise<boolean>;
  /** The connection reports go over, where there is one: without it the activator is not ready.. */
  readonly connection?: ReportConnection;
  /** How pods started, where that is known: what requests waited for is told by it. */
  readonly coldStarts?: ColdStarts;
  /** With it there is TLS to pods, and a listener that speaks it. A-121 */
  readonly certificates?: Pick<ClusterCertificates, "certificate" | "follow" | "toPodsOf">;
  readonly onlookers?: Onlookers;
}

/** Layers that measure and write down; a home has none. */
export interface Onlookers {
  readonly tracing?: Tracing;
  /** Sees 404s as well. */
  readonly requestMetrics?: RequestMetrics;
  /** Sees requests whose revision is known. */
  readonly requestLog?: Layer<ActivatorContext>;
}

export interface ActivatorOptions {
  readonly ip: string;
  /** 0 lets the system choose; `address` says what it chose. */
  readonly port: number;
  /** A second port with the same service, which Endpoints of h2c revisions list. None unless told. */
  readonly h2cPort?: number;
  /** One more by TLS, where there are certificates. A-1 */
  readonly secure?: { readonly port: number; readonly settings: TlsSettings };
  /** The port of pods that speaks TLS; the contract's unless told. */
  readonly securePodPort?: number;
  /** Our name in reports. */
  readonly podName: string;
  /** Our address in public Endpoints. */
  readonly podIp: string;
  /** `cluster.local` unless told. */
  readonly clusterDomain?: string;
  /** Idle connections kept to each pod; 100 unless told. */
  readonly idleConnectionsMax?: number;
  /** How pods that are listed as not ready are asked. */
  readonly probing?: ProbePace;
  /** What stands between us and pods; nothing unless told. A-8. */
  readonly mesh?: MeshAccess;
  /** Whether pods may be watched, to tell those who wait why there is none. Default: yes. */
  readonly watchesPods?: boolean;
  /** Whose objects say which revisions there are; Knative's own unless told. */
  readonly revisionOrigin?: RevisionOrigin;
  /** Whose objects say which pods there are; Endpoints unless told. */
  readonly endpointsSource?: EndpointsSource;
  /** Metrics under the names of releases up to 1.18 as well. A-50 */
  readonly hasOldNames?: boolean;
}
