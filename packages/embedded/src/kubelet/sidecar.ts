import type { ObjectKey, Pod, Stored } from "@rouse/shared";

/** The queue-proxy of one pod, inside this process. */
export interface Sidecar {
  readonly address: { readonly ip: string; readonly port: number };
  /** Resolves with `true` once the process answers its readiness probe, with `false` when `signal` aborts first. */
  awaitReady(signal: AbortSignal): Promise<boolean>;
  /** One round of the readiness probe. */
  checkReady(): Promise<boolean>;
  /**
   * Lets it come to rest: requests that still arrive are served until no more do, and it resolves when those in flight
   * have ended. Not bounded; the kubelet bounds it by the pod's grace.
   */
  drain(): Promise<void>;
  readonly inFlight: number;
  close(): Promise<void>;
}

/** Where a sidecar listens and where its process does. */
export interface SidecarPlace {
  readonly ip: string;
  readonly port: number;
  readonly userPort: number;
  /** To be called when the process's port first accepts, for the cold-start breakdown. Optional to call. */
  readonly portOpened: () => void;
}

export interface SidecarFactory {
  /** @throws an error with `code` `EADDRINUSE` when the address is taken: another one is then tried. */
  start(pod: Stored<Pod>, place: SidecarPlace): Promise<Sidecar>;
}

/** What others want to know at once, before the API says it. */
export interface KubeletHooks {
  /** The pod serves requests from now on; called before its status is written. */
  readonly onReady?: (pod: Stored<Pod>, address: { readonly ip: string; readonly port: number }) => void;
  /** One line of a pod's output. */
  readonly onOutput?: (pod: ObjectKey, stream: "stdout" | "stderr", line: string, container: string) => void;
}
