import type { Clock, KubeClient, Logger, ObjectKey, Random } from "@rouse/shared";
import { isExpected } from "../pass/status-pass.ts";

/** A controller of a cluster: every replica keeps its caches, one of them writes. */
export interface ClusterController extends Disposable {
  /** Its Lease in the system namespace. */
  readonly lease: string;
  /** Follows the API. Resolves once every cache is filled. */
  start(): Promise<void>;
  /** Now this replica writes; everything is looked at. */
  lead(): void;
  /** Now another replica writes. */
  follow(): void;
}

export interface ClusterControllerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Says in the log which pass failed: quietly, where another try is expected to do. */
export function reportFailure(log: Logger): (reconciler: string, key: ObjectKey, error: unknown) => void {
  return (reconciler, key, error) => {
    const fields = { reconciler, key, error: error instanceof Error ? error.message : String(error) };
    if (isExpected(error)) log.debug("pass is to be repeated", fields);
    else log.warn("pass failed, to be repeated", fields);
  };
}
