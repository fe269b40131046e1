/** What a benchmark tells the process the activator runs in. */
export type HostOrder = { readonly id: number } & (
  | { readonly kind: "revision"; readonly name: string; readonly containerConcurrency: number }
  | { readonly kind: "revisions"; readonly count: number }
  | { readonly kind: "pods"; readonly name: string; readonly ports: readonly number[] }
  /** Collects garbage first. */
  | { readonly kind: "look" }
);

export interface HostAnswer {
  readonly id: number;
  readonly port: number;
  readonly privateBytes: number;
  readonly held: number;
  readonly inFlight: number;
}

/** What a pod says once, and then every 100 ms. */
export type PodNews =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "load"; readonly served: number; readonly peak: number };
