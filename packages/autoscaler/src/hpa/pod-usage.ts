import type { ObjectKey } from "@rouse/shared";

/** What a pod uses of the machine. */
export interface Usage {
  /** Thousandths of a core, averaged since the question before; the first question about a pod has no answer. */
  readonly cpuMilli: number | undefined;
  readonly memoryBytes: number;
}

/** Who knows what pods use: the kubelet of the embedded home. In a cluster nobody asks, the HPA has its own source. */
export interface PodUsage {
  /** Pods nothing is known of yet are left out. */
  usage(pods: readonly ObjectKey[]): ReadonlyMap<ObjectKey, Usage>;
}
